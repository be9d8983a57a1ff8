package origin

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/origin/access"
)

// usersFile has alice and bob with the passwords alice-pw and bob-pw; bob is
// one of the encoders.
func usersFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.yaml")
	err := access.Edit(context.Background(), path, func(a *access.Accounts) error {
		for _, err := range []error{
			a.AddUser("alice", "alice-pw"), a.AddUser("bob", "bob-pw"), a.AddGroup("encoders"), a.Join("encoders", "bob"),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// basic is the header of a login.
func basic(login string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login))
}

func TestRights(t *testing.T) {
	users := usersFile(t)
	for _, tt := range []struct {
		name, login   string
		set           func(*Mount)
		read, written int
	}{
		{"nothing said", "", func(*Mount) {}, 200, 204},
		{"readers named: nobody", "", func(m *Mount) { m.RU = []string{"alice"} }, 401, 204},
		{"readers named: one of them", "alice:alice-pw", func(m *Mount) { m.RU = []string{"alice"} }, 200, 204},
		{"readers named: a wrong password", "alice:bob-pw", func(m *Mount) { m.RU = []string{"alice"} }, 401, 204},
		{"readers named: nobody of that name", "carol:alice-pw", func(m *Mount) { m.RU = []string{"carol"} }, 401, 204},
		{"readers named: another", "bob:bob-pw", func(m *Mount) { m.RU = []string{"alice"} }, 403, 204},
		{"a reading group: a member", "bob:bob-pw", func(m *Mount) { m.RG = []string{"encoders"} }, 200, 204},
		{"a reading group: no member", "alice:alice-pw", func(m *Mount) { m.RG = []string{"encoders"} }, 403, 204},
		{"all users", "alice:alice-pw", func(m *Mount) { m.RG = []string{"users"} }, 200, 204},
		{"everybody", "", func(m *Mount) { m.RU = []string{"$ALL"} }, 200, 204},
		{"nobody", "alice:alice-pw", func(m *Mount) { m.RU = []string{"$NONE"} }, 403, 204},
		{"writers named: nobody", "", func(m *Mount) { m.WU = []string{"alice"} }, 200, 401},
		{"writers named: one of them", "alice:alice-pw", func(m *Mount) { m.WU = []string{"alice"} }, 200, 204},
		{"writers named: another", "bob:bob-pw", func(m *Mount) { m.WU = []string{"alice"} }, 200, 403},
		{"a writing group", "bob:bob-pw", func(m *Mount) { m.WG = []string{"encoders"} }, 200, 204},
		{"nobody writes", "bob:bob-pw", func(m *Mount) { m.WU = []string{"$NONE"} }, 200, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, func(c *Config) { c.Users = users }, withMount(tt.set))
			w, err := s.mounts[0].store.Create("a.txt", headOf(1))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte("x"))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			var headers []string
			if tt.login != "" {
				headers = []string{basic(tt.login)}
			}
			for method, want := range map[string]int{"GET": tt.read, "HEAD": tt.read, "PUT": tt.written} {
				a := s.do(method, "/a.txt", map[bool]string{true: "y"}[method == "PUT"], headers...)
				if a.StatusCode != want {
					t.Errorf("%s: %s, want %d", method, a.Status, want)
				}
				challenge := a.Header.Get("WWW-Authenticate")
				if (a.StatusCode == 401) != strings.HasPrefix(challenge, `Basic realm="`) {
					t.Errorf("%s: %s, challenge %q", method, a.Status, challenge)
				}
			}
			if a := s.do("OPTIONS", "/a.txt", "", "Origin: http://x", "Access-Control-Request-Method: GET"); a.StatusCode != 204 {
				t.Errorf("a preflight: %s", a.Status)
			}
		})
	}
}

func TestBadLogin(t *testing.T) {
	s := start(t, func(c *Config) { c.Users = usersFile(t) }, withMount(func(m *Mount) { m.RU = []string{"alice"} }))
	for header, want := range map[string]int{
		"Authorization: Basic !!!":                            400,
		basic("no colon"):                                     400,
		"Authorization: Bearer token":                         401,
		"Authorization: Digest username=\"alice\"":            401,
		basic("alice:" + strings.Repeat("x", 5000)):           400,
		basic("alice:alice-pw"):                               404,
		strings.Replace(basic("alice:alice-pw"), "B", "b", 1): 404,
	} {
		if a := s.do("GET", "/none", "", header); a.StatusCode != want {
			t.Errorf("%.40s: %s, want %d", header, a.Status, want)
		}
	}
}

// TestPrivateReplies: what was given for a password is not for shared caches.
func TestPrivateReplies(t *testing.T) {
	s := start(t, func(c *Config) { c.Users = usersFile(t) }, withMount(func(m *Mount) { m.RU = []string{"alice"} }))
	s.put("/a.txt", "x")
	if a := s.do("GET", "/a.txt", "", basic("alice:alice-pw")); !strings.HasPrefix(a.Header.Get("Cache-Control"), "private") {
		t.Errorf("Cache-Control: %s", a.Header.Get("Cache-Control"))
	}
	if a := s.do("GET", "/a.txt", ""); a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("401: Cache-Control: %s", a.Header.Get("Cache-Control"))
	}
}

// TestPagesAndPasswords: a page may upload with a password that it sends itself
// by PUT; a POST could borrow the browser's.
func TestPagesAndPasswords(t *testing.T) {
	s := start(t, func(c *Config) { c.Users = usersFile(t) }, withMount(func(m *Mount) { m.WU = []string{"alice"} }))
	for method, want := range map[string]int{"PUT": 201, "POST": 403} {
		a := s.do(method, "/"+method, "x", basic("alice:alice-pw"), "Origin: http://elsewhere", "Sec-Fetch-Site: cross-site")
		if a.StatusCode != want {
			t.Errorf("%s: %s, want %d", method, a.Status, want)
		}
	}
}
