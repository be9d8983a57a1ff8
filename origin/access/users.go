package access

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// maxHashesAtOnce bounds the memory that logins take. They never take more
	// than half of the processors.
	maxHashesAtOnce = 4
	// wrongPause is for how many times the time of its hash a wrong password
	// lets nobody in its place: who floods with wrong ones gets a quarter of
	// what logins may take, an eighth of the processors. Who is right does not
	// wait for himself.
	wrongPause = 3
	// hashWaiters bounds how many wait for their turn, maxHashWait for how long.
	hashWaiters = 64
	maxHashWait = 10 * time.Second
)

// ErrBusy means that too many passwords are being checked to check one more.
var ErrBusy = errors.New("too many logins at once; try again in a moment")

// Users are the users of a file, as it is now. Their methods may be called from
// any goroutine. A nil *Users has nobody in it.
type Users struct {
	digests digester
	dummy   passwordHash  // of users that there are not, but for the cost
	slots   chan struct{} // holds one for each hash being made
	waiting chan struct{} // holds one for each hash being made or waited for
	hashes  atomic.Int64  // made so far
	now     func() time.Time
	after   func(time.Duration, func()) // calls later, from any goroutine
	file    *watchedFile
	state   atomic.Pointer[userState]
}

// userState is what one version of the file says. Only known changes; what was
// found out about a version is forgotten with it.
type userState struct {
	accounts *Accounts // not changed
	costs    []cost    // of its users, by their names; not changed
	known    known     // passwords that were right
	wrong    known     // and that were not: a client that is not told keeps sending its own
}

func newUserState(a *Accounts) *userState {
	s := &userState{accounts: a}
	for _, name := range slices.Sorted(maps.Keys(a.users)) {
		s.costs = append(s.costs, a.users[name].cost)
	}
	return s
}

// OpenUsers reads the users file and follows its changes until Close. A file
// that cannot be used is an error here; later it is one line in the log, and
// what the file said before stays in force.
func OpenUsers(path string, log *slog.Logger) (*Users, error) {
	if log == nil {
		log = slog.Default()
	}
	return openUsers(path, log, defaultCost, time.Now)
}

// openUsers has the cost of the hash that stands in for users that there are
// not.
func openUsers(path string, log *slog.Logger, c cost, now func() time.Time) (*Users, error) {
	u := &Users{
		digests: newDigester(),
		dummy:   newHash("", c),
		slots:   make(chan struct{}, min(max(runtime.GOMAXPROCS(0)/2, 1), maxHashesAtOnce)),
		waiting: make(chan struct{}, hashWaiters),
		now:     now,
		after:   func(d time.Duration, f func()) { time.AfterFunc(d, f) },
	}
	var err error
	u.file, err = watchFile(path, log, func(data []byte) error {
		a, err := parseAccounts(path, data)
		if err != nil {
			return err
		}
		if u.state.Swap(newUserState(a)) != nil {
			log.Info("users loaded anew", "file", path, "users", len(a.users), "groups", len(a.groups))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Close ends the watching of the file. The users stay as they are.
func (u *Users) Close() error { return u.file.close() }

// Check says whether the user has the password. It is Verify where being busy
// is no other than being wrong.
func (u *Users) Check(ctx context.Context, name, password string) bool {
	ok, err := u.Verify(ctx, name, password)
	return ok && err == nil
}

// Verify says whether the user has the password. A wrong password takes as long
// for a user that there is not; what was found out is known for some minutes, and
// takes next to nothing then. The error is ErrBusy, or why the context ended: nothing
// is known about the password then.
func (u *Users) Verify(ctx context.Context, name, password string) (bool, error) {
	if u == nil || CheckName(name) != nil || password == "" || len(password) > MaxPasswordBytes {
		return false, nil
	}
	s := u.state.Load()
	d := u.digests.of(name, password)
	if right, found := s.recall(d, u.now()); found {
		return right, nil
	}
	release, err := u.slot(ctx)
	if err != nil {
		return false, err
	}
	// A viewer asks for several files at once: the first has done the work.
	if right, found := s.recall(d, u.now()); found {
		release()
		return right, nil
	}
	u.hashes.Add(1)
	began := time.Now()
	h, exists := u.hashOf(s, name)
	if h.matches(password) && exists {
		s.known.add(d, u.now())
		release()
		return true, nil
	}
	s.wrong.add(d, u.now())
	u.after(wrongPause*time.Since(began), release)
	return false, nil
}

// recall returns what was found out about a password before.
func (s *userState) recall(d digest, now time.Time) (right, found bool) {
	if s.known.has(d, now) {
		return true, true
	}
	return false, s.wrong.has(d, now)
}

// hashOf returns the hash of a user. One that there is not has a hash that costs
// what those of the others do, and the same each time.
func (u *Users) hashOf(s *userState, name string) (h passwordHash, exists bool) {
	if h, exists = s.accounts.users[name]; exists {
		return h, true
	}
	h = u.dummy
	if n := uint64(len(s.costs)); n > 0 {
		d := u.digests.of(name, "")
		h.cost = s.costs[binary.BigEndian.Uint64(d[:])%n]
	}
	return h, false
}

// slot waits for the turn to hash.
func (u *Users) slot(ctx context.Context) (release func(), err error) {
	select {
	case u.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	ctx, stop := context.WithTimeoutCause(ctx, maxHashWait, ErrBusy)
	defer stop()
	select {
	case u.slots <- struct{}{}:
		return func() { <-u.slots; <-u.waiting }, nil
	case <-ctx.Done():
		<-u.waiting
		return nil, context.Cause(ctx)
	}
}

// Member says whether there is such a user and they are in the group.
func (u *Users) Member(user, group string) bool {
	if u == nil {
		return false
	}
	a := u.state.Load().accounts
	if !a.HasUser(user) {
		return false
	}
	if group == Everyone {
		return true
	}
	_, found := slices.BinarySearch(a.groups[group], user)
	return found
}

// Exists says whether there is such a user.
func (u *Users) Exists(user string) bool { return u.Member(user, Everyone) }
