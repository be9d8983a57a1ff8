package access

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// Each way to write a login by RFC 7617, and the ways that are none.
func TestLoginsAsTheyAreWritten(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	long := strings.Repeat("p", MaxPasswordBytes)
	for _, c := range []struct {
		what, value    string
		user, password string
		bad            bool
	}{
		{"plain", "Basic " + b64([]byte("a:b")), "a", "b", false},
		{"spaces around", "  Basic   " + b64([]byte("a:b")) + "  ", "a", "b", false},
		{"another case", "bAsIc " + b64([]byte("a:b")), "a", "b", false},
		{"colons in the password", "Basic " + b64([]byte("a::b:")), "a", ":b:", false},
		{"no name", "Basic " + b64([]byte(":b")), "", "b", false},
		{"neither", "Basic " + b64([]byte(":")), "", "", false},
		{"the longest", "Basic " + b64([]byte(strings.Repeat("n", MaxNameBytes)+":"+long)), strings.Repeat("n", MaxNameBytes), long, false},
		{"more than is decoded", "Basic " + b64([]byte("a:"+strings.Repeat("p", maxToken))), "", "", true},
		{"Latin-1", "Basic " + b64([]byte("\xe4:b")), "", "", true},
		{"a line end", "Basic " + b64([]byte("a:b\n")), "", "", true},
		{"DEL", "Basic " + b64([]byte("a:\x7f")), "", "", true},
		{"no padding", "Basic " + strings.TrimRight(b64([]byte("a:bb")), "="), "", "", true},
		{"of URLs", "Basic " + base64.URLEncoding.EncodeToString([]byte("a:\u00ff\u00bf?>")), "", "", true},
		{"two", "Basic YTpi YTpi", "", "", true},
		{"a comma", "Basic YTpi, Basic YTpi", "", "", true},
		{"Digest", `Digest username="a"`, "", "", false},
		{"Basically", "Basically YTpi", "", "", false},
	} {
		who, err := ParseAuthorization(c.value)
		switch {
		case c.bad:
			if !errors.Is(err, ErrMalformed) || who != nil {
				t.Errorf("%s: %v, %v", c.what, who, err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.what, err)
		case who == nil:
			if c.user+c.password != "" {
				t.Errorf("%s: no login", c.what)
			}
		case who.User != c.user || who.Password != c.password:
			t.Errorf("%s: %q and %q", c.what, who.User, who.Password)
		}
	}
	if strings.Contains(ErrMalformed.Error(), "\n") {
		t.Error("the error is more than a line")
	}
}

// What a realm has in it cannot end it, or the header.
func TestChallenge(t *testing.T) {
	for realm, want := range map[string]string{
		"Headwater":       `Basic realm="Headwater", charset="UTF-8"`,
		"":                `Basic realm="", charset="UTF-8"`,
		`a"b\c`:           `Basic realm="a\"b\\c", charset="UTF-8"`,
		"a\r\nX-A: b":     `Basic realm="aX-A: b", charset="UTF-8"`,
		"ä\x00\x7fb":      `Basic realm="b", charset="UTF-8"`,
		`", realm="other`: `Basic realm="\", realm=\"other", charset="UTF-8"`,
	} {
		if got := Challenge(realm); got != want {
			t.Errorf("%q: %s, want %s", realm, got, want)
		}
	}
}

// An error of a file is one line that can be seen, whatever stands in the file.
func TestFileErrors(t *testing.T) {
	for want, e := range map[string]*FileError{
		"f: x":         {File: "f", Msg: "x"},
		"f:3: x":       {File: "f", Line: 3, Msg: "x"},
		"f:3: a b c":   {File: "f", Line: 3, Msg: "a\n b\r\n\tc\n"},
		"f:3: ?[31mx":  {File: "f", Line: 3, Msg: "\x1b[31mx"},
		"f:3: a?b":     {File: "f", Line: 3, Msg: "a\u202eb"},
		"f:3: ä 日":     {File: "f", Line: 3, Msg: "ä 日"},
		"f:3: %d and ": {File: "f", Line: 3, Msg: "%d and\u00a0"},
	} {
		if got := e.Error(); got != strings.TrimRight(want, " ") && got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestScanOfRules(t *testing.T) {
	sections, err := scanINI([]byte("# c\n\n[ a ]\n k = v = w \r\n;x\n[b]\n[a]\nk=\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sections {
		got = append(got, "["+s.name+"]")
		for _, k := range s.keys {
			got = append(got, k.name+"="+k.value)
		}
	}
	if text := strings.Join(got, " "); text != "[a] k=v = w [b] [a] k=" {
		t.Error(text)
	}
	if sections[0].line != 3 || sections[0].keys[0].line != 4 || sections[2].line != 7 {
		t.Errorf("%+v", sections)
	}
}
