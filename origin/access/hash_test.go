package access

import (
	"strings"
	"testing"
)

// cheap is a cost for tests that make many hashes.
var cheap = cost{memory: 8, passes: 1, threads: 1}

// A hash that another program made by the same standard is taken: this one is
// of the password "password" (argon2 -id -t 2 -k 64 -p 1, salt "somesalt").
func TestHashOfAnotherProgram(t *testing.T) {
	h, err := parseHash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches("password") || h.matches("Password") || h.matches("") {
		t.Error("not the password that it is of")
	}
}

func TestHashes(t *testing.T) {
	a, b := newHash("secret", cheap), newHash("secret", cheap)
	if a.String() == b.String() {
		t.Error("two hashes of a password have one salt")
	}
	for _, h := range []passwordHash{a, b} {
		again, err := parseHash(h.String())
		if err != nil || again.String() != h.String() || !again.matches("secret") || again.matches("secret ") {
			t.Errorf("%s: %v", h, err)
		}
	}
}

// New passwords cost what guides ask for at least: 19 MiB, two passes.
func TestCostOfNewPasswords(t *testing.T) {
	a := newAccounts()
	if err := a.AddUser("alice", "pw"); err != nil {
		t.Fatal(err)
	}
	h := a.users["alice"]
	if h.cost.memory < 19*1024 || h.cost.passes < 2 || len(h.salt) < 16 || len(h.key) < 32 {
		t.Errorf("%s", h)
	}
	if !strings.HasPrefix(h.String(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error(h)
	}
}

func TestHashesThatAreRefused(t *testing.T) {
	const salt, key = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	good := "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key
	if _, err := parseHash(good); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"nothing":                "",
		"a password":             "hunter2",
		"another function":       strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":        strings.Replace(good, "v=19", "v=16", 1),
		"a part too many":        good + "$",
		"something before it":    "x" + good,
		"a key too short":        "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$YWJj",
		"a key too long":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("YWJj", 22),
		"a salt too short":       "$argon2id$v=19$m=256,t=2,p=1$YWJj$" + key,
		"padding":                good + "=",
		"a line end in the key":  good[:len(good)-4] + "\n" + good[len(good)-4:],
		"bits that are not used": good[:len(good)-1] + "5",
		"no memory":              strings.Replace(good, "m=256", "m=0", 1),
		"too much memory":        strings.Replace(good, "m=256", "m=65537", 1),
		"memory beyond counting": strings.Replace(good, "m=256", "m=99999999999", 1),
		"too many passes":        strings.Replace(good, "t=2", "t=17", 1),
		"too many threads":       strings.Replace(good, "p=1", "p=9", 1),
		"a sign":                 strings.Replace(good, "t=2", "t=+2", 1),
		"another order":          strings.Replace(good, "m=256,t=2", "t=2,m=256", 1),
		"a missing one":          strings.Replace(good, ",p=1", "", 1),
	} {
		if h, err := parseHash(text); err == nil {
			t.Errorf("%s is taken: %v", what, h)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows it: %v", what, err)
		}
	}
}

func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err != nil {
			return
		}
		if h.cost.memory > maxMemory || h.cost.passes > maxPasses || h.cost.threads > maxThreads {
			t.Errorf("%q costs any amount", text)
		}
		if again, err := parseHash(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q becomes %s, %v", text, h, err)
		}
	})
}
