package access

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// people is a Verifier whose passwords are the names themselves.
type people map[string][]string // groups by user

func (p people) Verify(_ context.Context, name, password string) (bool, error) {
	if name == "late" {
		return false, ErrBusy
	}
	_, ok := p[name]
	return ok && name == password, nil
}

func (p people) Member(user, group string) bool {
	groups, ok := p[user]
	return ok && (group == Everyone || strings.Contains(" "+strings.Join(groups, " ")+" ", " "+group+" "))
}

func TestDecisions(t *testing.T) {
	users := people{"alice": {"ops"}, "bob": nil, "carol": {"dev", "ops2"}}
	who := map[string]*Credentials{
		"nobody": nil, "alice": {"alice", "alice"}, "bob": {"bob", "bob"}, "carol": {"carol", "carol"},
		"wrong": {"alice", "x"}, "stranger": {"dave", "dave"}, "late": {"late", "late"}, "$ALL": {"$ALL", "$ALL"},
	}
	list := strings.Fields
	for _, c := range []struct {
		names, groups string
		read, write   string // by nobody alice bob carol wrong stranger late: a(llow), l(og in), f(orbid), b(usy)
	}{
		{"", "", "aaaaaaa", "fffffff"},
		{"alice", "", "laffllb", "laffllb"},
		{"alice bob", "", "laafllb", "laafllb"},
		{"", "ops", "laffllb", "laffllb"},
		{"", "dev", "lffallb", "lffallb"},
		{"bob", "ops", "laafllb", "laafllb"},
		{"", "users", "laaallb", "laaallb"},
		{"users", "", "lfffllb", "lfffllb"}, // a user of that name there is not
		{"", "alice", "lfffllb", "lfffllb"}, // nor a group
		{"$ALL", "", "aaaaaaa", "aaaaaaa"},
		{"", "$ALL", "aaaaaaa", "aaaaaaa"},
		{"alice $ALL", "", "aaaaaaa", "aaaaaaa"},
		{"$NONE", "", "fffffff", "fffffff"},
		{"", "$NONE", "fffffff", "fffffff"},
		{"$NONE", "$ALL", "fffffff", "fffffff"}, // Check refuses it; it lets nobody in all the same
		{"dave", "none", "lfffllb", "lfffllb"},  // in the list, but no user
	} {
		r := Rights{RU: list(c.names), RG: list(c.groups), WU: list(c.names), WG: list(c.groups)}
		var read, write strings.Builder
		for _, name := range []string{"nobody", "alice", "bob", "carol", "wrong", "stranger", "late"} {
			letter := map[Decision]string{Allowed: "a", NeedLogin: "l", Forbidden: "f", Busy: "b"}
			read.WriteString(letter[r.Read(t.Context(), who[name], users)])
			write.WriteString(letter[r.Write(t.Context(), who[name], users)])
		}
		if read.String() != c.read || write.String() != c.write {
			t.Errorf("%q and %q: read %s, write %s; want %s, %s", c.names, c.groups, &read, &write, c.read, c.write)
		}
		if d := r.Read(t.Context(), who["$ALL"], users); d == Allowed && c.read[0] != 'a' {
			t.Errorf("%q: a user named $ALL gets in", c.names)
		}
	}
	// Without any users a name lets nobody in.
	r := Rights{RU: []string{"alice"}}
	if d := r.Read(t.Context(), who["alice"], nil); d != NeedLogin {
		t.Error(d)
	}
	if d := r.Read(t.Context(), who["alice"], (*Users)(nil)); d != NeedLogin {
		t.Error(d)
	}
}

// Two rights together allow what both do.
func TestRightsThatMustBothAllow(t *testing.T) {
	users := people{"alice": {"ops"}, "bob": {"ops"}}
	alice, ops, free := Rights{RU: []string{"alice"}, WU: []string{"alice"}}, Rights{RG: []string{"ops"}, WG: []string{"ops"}}, Rights{}
	none := Rights{RU: []string{None}, WU: []string{None}}
	for _, c := range []struct {
		a, b        Rights
		read, write string
	}{
		{alice, ops, "log in allowed forbidden", "log in allowed forbidden"},
		{ops, alice, "log in allowed forbidden", "log in allowed forbidden"},
		{free, alice, "log in allowed forbidden", "forbidden forbidden forbidden"},
		{alice, free, "log in allowed forbidden", "forbidden forbidden forbidden"},
		{free, none, "forbidden forbidden forbidden", "forbidden forbidden forbidden"},
		{free, free, "allowed allowed allowed", "forbidden forbidden forbidden"},
	} {
		both := c.a
		both.also = &c.b
		var read, write []string
		for _, who := range []*Credentials{nil, {"alice", "alice"}, {"bob", "bob"}} {
			read = append(read, both.Read(t.Context(), who, users).String())
			write = append(write, both.Write(t.Context(), who, users).String())
		}
		if got := strings.Join(read, " "); got != c.read {
			t.Errorf("%+v and %+v: read %s", c.a, c.b, got)
		}
		if got := strings.Join(write, " "); got != c.write {
			t.Errorf("%+v and %+v: write %s", c.a, c.b, got)
		}
		if both.HasWrite() != (c.a.HasWrite() && c.b.HasWrite()) {
			t.Errorf("%+v and %+v: says of writing: %v", c.a, c.b, both.HasWrite())
		}
	}
}

func TestStatusOfDecisions(t *testing.T) {
	var zero Decision
	for d, want := range map[Decision]int{zero: 403, Allowed: 200, NeedLogin: 401, Busy: 503, Forbidden: 403, Decision(99): 403} {
		if d.Status() != want {
			t.Errorf("%s: %d", d, d.Status())
		}
	}
}

func TestCheckOfRights(t *testing.T) {
	for want, r := range map[string]Rights{
		"": {RU: []string{"a", All}, RG: []string{"g"}, WU: []string{None}},
		`wg: name "a:b" has a colon or a comma in it`:                  {WG: []string{"a:b"}},
		"ru: a name must not be empty":                                 {RU: []string{""}},
		"ru and rg: $NONE is nobody; others cannot stand beside it":    {RU: []string{None}, RG: []string{"g"}},
		"wu and wg: $NONE is nobody; others cannot stand beside it":    {WU: []string{"a", None}},
		`rg: name "$OTHER" begins with $, which is for $ALL and $NONE`: {RG: []string{"$OTHER"}},
	} {
		got := ""
		if err := r.Check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Credentials do not show in what is printed of them.
func TestCredentialsAreNotPrinted(t *testing.T) {
	c := &Credentials{"alice", "s3cret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, c); strings.Contains(got, "s3cret") || !strings.Contains(got, "alice") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestFromHeader(t *testing.T) {
	one := "Basic YTpi"
	for _, c := range []struct {
		values []string
		user   string
		bad    bool
	}{
		{nil, "", false}, {[]string{one}, "a", false}, {[]string{one, one}, "", true}, {[]string{"Bearer x"}, "", false},
		{[]string{"Basic"}, "", true}, {[]string{"Basic " + strings.Repeat("A", maxToken+4)}, "", true}, {[]string{"basic YTpi"}, "a", false},
		{[]string{"Basic YTpi\n"}, "a", false}, {[]string{"Basic YT\npi"}, "", true}, {[]string{"Basic /zo="}, "", true},
	} {
		who, err := FromHeader(http.Header{"Authorization": c.values})
		if (err != nil) != c.bad || (who == nil) != (c.user == "") || who != nil && who.User != c.user {
			t.Errorf("%q: %v, %v", c.values, who, err)
		}
	}
}

// leaving is a Verifier whose users are removed right after their login.
type leaving struct{ people }

func (leaving) Member(string, string) bool { return false }

// Who was removed while the password was checked is let in by no list.
func TestWhoIsRemovedMeanwhile(t *testing.T) {
	users := leaving{people{"alice": {"ops"}}}
	r := Rights{RU: []string{"alice"}, RG: []string{"ops", Everyone}, WU: []string{"alice"}, WG: []string{"ops"}}
	who := &Credentials{"alice", "alice"}
	if a, b := r.Read(t.Context(), who, users), r.Write(t.Context(), who, users); a != Forbidden || b != Forbidden {
		t.Error(a, b)
	}
}
