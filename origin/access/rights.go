package access

import (
	"context"
	"fmt"
	"slices"
)

// Rights are the users and groups that may read (RU, RG) and write (WU, WG).
// RU and RG both empty let everybody read; WU and WG both empty say nothing of
// writing (HasWrite). All in a list is everybody, without a login, for reading
// as for writing; None is nobody, whatever else is listed. The zero value lets
// everybody read. Rights are not changed once they are in use.
type Rights struct {
	RU, RG, WU, WG []string

	also *Rights // must allow it, too; nil: nothing else
}

// Verifier knows the users. *Users is one.
type Verifier interface {
	// Verify says whether the user has the password; an error means that it
	// could not be found out now.
	Verify(ctx context.Context, name, password string) (bool, error)
	// Member says whether the user is in the group.
	Member(user, group string) bool
}

// Decision is the answer to a request.
type Decision int

// The answers. The zero value is none that lets anybody in.
const (
	Forbidden Decision = iota // 403: no login would help, or not this one's
	NeedLogin                 // 401: no login, or one that is wrong
	Busy                      // 503: the login cannot be checked now
	Allowed                   // 200
)

// Status returns the HTTP status that the decision comes to.
func (d Decision) Status() int {
	switch d {
	case Allowed:
		return 200
	case NeedLogin:
		return 401
	case Busy:
		return 503
	}
	return 403
}

func (d Decision) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case NeedLogin:
		return "log in"
	case Busy:
		return "busy"
	}
	return "forbidden"
}

// HasWrite says whether the rights say anything of writing.
func (r *Rights) HasWrite() bool {
	return len(r.WU)+len(r.WG) > 0 && (r.also == nil || r.also.HasWrite())
}

// Read decides whether who may read; nil is somebody without a login. Where a
// login is not needed, it is not looked at.
func (r *Rights) Read(ctx context.Context, who *Credentials, users Verifier) Decision {
	d := Allowed
	if len(r.RU)+len(r.RG) > 0 {
		d = decide(ctx, who, users, r.RU, r.RG)
	}
	if d == Allowed && r.also != nil {
		return r.also.Read(ctx, who, users)
	}
	return d
}

// Write decides whether who may write; nil is somebody without a login. Rights
// that say nothing of writing forbid it: ask HasWrite first where something
// else may allow it.
func (r *Rights) Write(ctx context.Context, who *Credentials, users Verifier) Decision {
	if !r.HasWrite() {
		return Forbidden
	}
	d := decide(ctx, who, users, r.WU, r.WG)
	if d == Allowed && r.also != nil {
		return r.also.Write(ctx, who, users)
	}
	return d
}

func decide(ctx context.Context, who *Credentials, users Verifier, names, groups []string) Decision {
	switch {
	case slices.Contains(names, None), slices.Contains(groups, None):
		return Forbidden
	case slices.Contains(names, All), slices.Contains(groups, All):
		return Allowed
	case who == nil, users == nil:
		return NeedLogin
	}
	switch ok, err := users.Verify(ctx, who.User, who.Password); {
	case err != nil:
		return Busy
	case !ok:
		return NeedLogin
	}
	// That they are a user still is asked here: they may have gone meanwhile.
	if slices.Contains(names, who.User) && users.Member(who.User, Everyone) {
		return Allowed
	}
	if slices.ContainsFunc(groups, func(g string) bool { return users.Member(who.User, g) }) {
		return Allowed
	}
	return Forbidden
}

// Check says what is wrong with the lists: a name that can be nobody's, or None
// with others beside it.
func (r *Rights) Check() error {
	for _, pair := range []struct {
		key, groupKey string
		names, groups []string
	}{{"ru", "rg", r.RU, r.RG}, {"wu", "wg", r.WU, r.WG}} {
		if err := checkList(pair.key, pair.names); err != nil {
			return err
		}
		if err := checkList(pair.groupKey, pair.groups); err != nil {
			return err
		}
		all := slices.Concat(pair.names, pair.groups)
		if slices.Contains(all, None) && len(all) > 1 {
			return fmt.Errorf("%s and %s: %s is nobody; others cannot stand beside it", pair.key, pair.groupKey, None)
		}
	}
	return nil
}

func checkList(key string, names []string) error {
	for _, n := range names {
		if n == All || n == None {
			continue
		}
		if err := CheckName(n); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}
