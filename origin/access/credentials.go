package access

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Credentials are what a client says of itself. They must not be logged.
type Credentials struct{ User, Password string }

// String leaves the password out.
func (c *Credentials) String() string { return c.User }

// GoString leaves the password out.
func (c *Credentials) GoString() string { return c.User }

// ErrMalformed means that an Authorization header is not what its scheme asks
// for: 400.
var ErrMalformed = errors.New("the Authorization header is malformed: Basic and, in base64, name:password in UTF-8 without control characters (RFC 7617)")

// maxToken caps what is decoded: the longest name and password take less.
const maxToken = 4096

// FromHeader is ParseAuthorization of the request's header. Two of them are
// malformed, as the one that is looked at here might not be the one that was
// looked at before.
func FromHeader(h http.Header) (*Credentials, error) {
	switch values := h.Values("Authorization"); len(values) {
	case 0:
		return nil, nil
	case 1:
		return ParseAuthorization(values[0])
	default:
		return nil, ErrMalformed
	}
}

// ParseAuthorization reads the value of an Authorization header by RFC 7617. It
// returns nil without an error when that is empty or of another scheme: there
// is no login then. The error is ErrMalformed.
func ParseAuthorization(value string) (*Credentials, error) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil, nil
	}
	token = strings.TrimLeft(token, " ")
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil, ErrMalformed
	}
	pair, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !utf8.Valid(pair) || strings.ContainsFunc(string(pair), unicode.IsControl) {
		return nil, ErrMalformed
	}
	user, password, ok := strings.Cut(string(pair), ":")
	if !ok {
		return nil, ErrMalformed
	}
	return &Credentials{User: user, Password: password}, nil
}

// Challenge returns the value of a WWW-Authenticate header. The realm is what a
// browser shows; what a header cannot hold is left out of it.
func Challenge(realm string) string {
	var b strings.Builder
	b.WriteString(`Basic realm="`)
	for _, r := range realm {
		switch {
		case r < ' ' || r > '~':
			continue
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteString(`", charset="UTF-8"`)
	return b.String()
}
