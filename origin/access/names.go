package access

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The words that stand in a list of Rights for everybody and for nobody.
const (
	All  = "$ALL"
	None = "$NONE"
)

// Everyone is the group that each user is in. It cannot be changed.
const Everyone = "users"

// What a name and a password may have at most, in bytes.
const (
	MaxNameBytes     = 100
	MaxPasswordBytes = 1000
)

// CheckName says what is wrong with the name of a user or a group: it must be
// text of 1 to MaxNameBytes bytes, without colon (which ends it in a request),
// comma (which ends it in a list), control characters, spaces around it, and $
// at its start.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("a name must not be empty")
	case len(name) > MaxNameBytes:
		return fmt.Errorf("a name of %d bytes is too long; at most %d", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8", name)
	case strings.ContainsAny(name, ":,"):
		return fmt.Errorf("name %q has a colon or a comma in it", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("name %q has a control character in it", name)
	case strings.HasPrefix(name, "$"):
		return fmt.Errorf("name %q begins with $, which is for %s and %s", name, All, None)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("name %q begins or ends with a space", name)
	}
	return nil
}

// CheckPassword says what is wrong with a new password: it must be text of 1 to
// MaxPasswordBytes bytes without control characters, as no client could send
// another (RFC 7617, section 2). The error does not tell the password.
func CheckPassword(password string) error {
	switch {
	case password == "":
		return errors.New("the password must not be empty")
	case len(password) > MaxPasswordBytes:
		return fmt.Errorf("the password is too long; at most %d bytes", MaxPasswordBytes)
	case !utf8.ValidString(password):
		return errors.New("the password is not UTF-8")
	case strings.ContainsFunc(password, unicode.IsControl):
		return errors.New("the password has a control character in it")
	}
	return nil
}
