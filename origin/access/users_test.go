package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// openCheap opens a file with users alice and bob, whose passwords are their
// names backwards, and who are cheap to check.
func openCheap(t *testing.T) (*Users, *clock) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users.yaml")
	edit(t, file, func(a *Accounts) error {
		a.cost = cheap
		return errors.Join(a.AddUser("alice", "ecila"), a.AddUser("bob", "bob"))
	})
	c := &clock{}
	u, err := openUsers(file, slog.New(slog.DiscardHandler), cheap, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u, c
}

// A password that was right costs nothing for some time after its last use, and
// so does one that was wrong: a client that keeps sending its own must not take
// the processor.
func TestWhatWasFoundOutIsKnown(t *testing.T) {
	u, c := openCheap(t)
	u.after = func(_ time.Duration, f func()) { f() }
	verify := func(name, password string, want bool, hashes int64) {
		t.Helper()
		before := u.hashes.Load()
		ok, err := u.Verify(t.Context(), name, password)
		if n := u.hashes.Load() - before; ok != want || err != nil || n != hashes {
			t.Errorf("%s: %v, %v after %d hashes, want %d", name, ok, err, n, hashes)
		}
	}
	verify("alice", "ecila", true, 1)
	verify("alice", "ecila", true, 0)
	verify("alice", "wrong", false, 1)
	verify("alice", "wrong", false, 0)
	verify("nobody", "wrong", false, 1) // as long as for a user that there is
	verify("nobody", "wrong", false, 0)
	verify("bob", "ecila", false, 1) // it is known of alice alone
	for range 3 {
		c.advance(keepFor - 1) // each use begins the time anew
		verify("alice", "ecila", true, 0)
	}
	c.advance(keepFor)
	verify("alice", "ecila", true, 1)
	verify("alice", "wrong", false, 1)
	// What can be no name or no password takes no hash at all.
	for _, pair := range [][2]string{{"", "x"}, {"a:b", "x"}, {"alice", ""}, {"$ALL", "x"}, {"alice", string(make([]byte, MaxPasswordBytes+1))}} {
		verify(pair[0], pair[1], false, 0)
	}
	if !(*Users)(nil).Exists("alice") {
		ok, err := (*Users)(nil).Verify(t.Context(), "alice", "x")
		if ok || err != nil {
			t.Error("nobody is somebody")
		}
	}
}

// What is known ends with the version of the file that it is known of.
func TestWhatIsKnownEndsWithTheFile(t *testing.T) {
	u, _ := openCheap(t)
	u.after = func(_ time.Duration, f func()) { f() }
	if !u.Check(t.Context(), "alice", "ecila") || u.Check(t.Context(), "alice", "new") {
		t.Fatal("the first password")
	}
	edit(t, u.file.path, func(a *Accounts) error { a.cost = cheap; return a.SetPassword("alice", "new") })
	eventually(t, "the new password holds", func() bool { return u.Check(t.Context(), "alice", "new") })
	if u.Check(t.Context(), "alice", "ecila") {
		t.Error("the old password still does")
	}
	edit(t, u.file.path, func(a *Accounts) error { return a.RemoveUser("alice") })
	eventually(t, "alice is gone", func() bool { return !u.Exists("alice") })
	if u.Check(t.Context(), "alice", "new") || u.Member("alice", Everyone) {
		t.Error("who is gone still logs in")
	}
}

// A wrong password keeps its place for some time after its hash, so that a flood
// of them leaves the processors to others. A right one does not.
func TestWrongPasswordsPauseTheirPlace(t *testing.T) {
	u, _ := openCheap(t)
	if n := cap(u.slots); n > max(runtime.GOMAXPROCS(0)/2, 1) || n > maxHashesAtOnce {
		t.Errorf("%d hashes at once", n)
	}
	var ends []func()
	var pauses []time.Duration
	u.after = func(d time.Duration, f func()) { pauses, ends = append(pauses, d), append(ends, f) }
	for i := range cap(u.slots) {
		if u.Check(t.Context(), "alice", fmt.Sprint("wrong ", i)) {
			t.Fatal("a wrong password is right")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if ok, err := u.Verify(ctx, "bob", "bob"); ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("there is no pause: %v, %v", ok, err)
	}
	for _, d := range pauses {
		if d <= 0 {
			t.Errorf("a pause of %s", d)
		}
	}
	for _, end := range ends {
		end()
	}
	for range 3 * cap(u.slots) { // no pause
		if ok, err := u.Verify(t.Context(), "bob", "bob"); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	}
	if len(u.slots) != 0 || len(u.waiting) != 0 {
		t.Error("places are not given back")
	}
}

// A flood of wrong passwords, each another, gets the share of the processors
// that it may have and no more: at each moment a place is hashing for a quarter
// of the time at most.
func TestFloodOfWrongPasswords(t *testing.T) {
	u, _ := openCheap(t)
	var paused atomic.Int64
	u.after = func(d time.Duration, f func()) { paused.Add(int64(d)); time.AfterFunc(d, f) }
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var busy atomic.Int64
	for i := range 2 * hashWaiters {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, err := u.Verify(ctx, fmt.Sprintf("user%d", i), fmt.Sprint(n))
				if errors.Is(err, ErrBusy) {
					busy.Add(1)
					runtime.Gosched()
				}
			}
		})
	}
	began := time.Now()
	eventually(t, "a hundred were tried, and some turned away", func() bool { return u.hashes.Load() > 100 && busy.Load() > 0 })
	cancel()
	all.Wait()
	took := time.Since(began) * time.Duration(cap(u.slots))
	if hashing := time.Duration(paused.Load()) / wrongPause; hashing > took/2 {
		t.Errorf("%s of hashes in %s", hashing, took)
	}
	eventually(t, "all places are free", func() bool { return len(u.slots) == 0 && len(u.waiting) == 0 })
}

// Who is logged in does not notice the flood.
func TestFloodLeavesThoseInWhoAreKnown(t *testing.T) {
	u, _ := openCheap(t)
	if !u.Check(t.Context(), "alice", "ecila") {
		t.Fatal("alice")
	}
	for range cap(u.slots) {
		u.slots <- struct{}{}
	}
	for range cap(u.waiting) {
		u.waiting <- struct{}{}
	}
	if ok, err := u.Verify(t.Context(), "alice", "ecila"); !ok || err != nil {
		t.Errorf("alice: %v, %v", ok, err)
	}
	if _, err := u.Verify(t.Context(), "bob", "bob"); !errors.Is(err, ErrBusy) {
		t.Errorf("bob: %v", err)
	}
	r := Rights{RU: []string{"bob"}}
	if d := r.Read(t.Context(), &Credentials{"bob", "bob"}, u); d != Busy || d.Status() != 503 {
		t.Error(d)
	}
}

// Who asks for several files at once is checked once.
func TestOneHashForRequestsAtOnce(t *testing.T) {
	u, _ := openCheap(t)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if ok, err := u.Verify(t.Context(), "alice", "ecila"); !ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	all.Wait()
	if n := u.hashes.Load(); n > int64(cap(u.slots)) {
		t.Errorf("%d hashes", n)
	}
}

// The hash of a user that there is not costs what the others' do: by the time it
// takes nobody finds out who there is.
func TestCostOfUsersThatThereAreNot(t *testing.T) {
	u, _ := openCheap(t)
	dear := cost{memory: 64, passes: 3, threads: 1}
	a := newAccounts()
	for i := range 20 {
		a.cost = []cost{cheap, dear}[i%2]
		if err := a.AddUser(fmt.Sprint("user", i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	s := newUserState(a)
	if h, exists := u.hashOf(s, "user3"); !exists || h.cost != dear {
		t.Errorf("%v, %v", h, exists)
	}
	seen := map[cost]int{}
	for i := range 200 {
		h, exists := u.hashOf(s, fmt.Sprint("nobody", i))
		again, _ := u.hashOf(s, fmt.Sprint("nobody", i))
		if exists || h.cost != again.cost || len(h.salt) == 0 || len(h.key) == 0 {
			t.Errorf("%v, then %v", h, again)
		}
		seen[h.cost]++
	}
	if seen[cheap] == 0 || seen[dear] == 0 || len(seen) != 2 {
		t.Errorf("%v", seen)
	}
	if h, _ := u.hashOf(newUserState(newAccounts()), "x"); h.cost != cheap {
		t.Errorf("without users: %v", h)
	}
}

func TestKnownPasswordsAreBounded(t *testing.T) {
	var k known
	keys := newDigester()
	now := time.Unix(0, 0)
	for i := range maxKnown + 100 {
		k.add(keys.of("u", fmt.Sprint(i)), now)
	}
	if len(k.until) != maxKnown {
		t.Errorf("%d are known", len(k.until))
	}
	last := keys.of("u", fmt.Sprint(maxKnown+99))
	if !k.has(last, now) {
		t.Error("the last is not known")
	}
	now = now.Add(2 * keepFor)
	k.add(keys.of("u", "new"), now)
	if len(k.until) != 1 {
		t.Errorf("%d are known after their time", len(k.until))
	}
}

// No two pairs have the same digest, and no process that of another.
func TestDigests(t *testing.T) {
	d := newDigester()
	if d.of("a", "bc") == d.of("ab", "c") || d.of("a", "") == d.of("", "a") {
		t.Error("pairs are not told apart")
	}
	again := d.of("a", "b")
	if again != d.of("a", "b") {
		t.Error("a pair has two digests")
	}
	if again == newDigester().of("a", "b") {
		t.Error("the key is always the same")
	}
}

func TestMembers(t *testing.T) {
	u, _ := openCheap(t)
	edit(t, u.file.path, func(a *Accounts) error {
		return errors.Join(a.AddGroup("ops"), a.Join("ops", "bob"))
	})
	eventually(t, "bob is in", func() bool { return u.Member("bob", "ops") })
	for _, c := range []struct {
		user, group string
		want        bool
	}{
		{"bob", "ops", true}, {"alice", "ops", false}, {"alice", Everyone, true}, {"carol", Everyone, false}, {"bob", "none", false},
		{"", Everyone, false}, {"bob", "", false},
	} {
		if got := u.Member(c.user, c.group); got != c.want {
			t.Errorf("%s in %s: %v", c.user, c.group, got)
		}
	}
}

// Requests come while the file changes: each is decided by one version.
func TestUsersChangeWhileRequestsCome(t *testing.T) {
	u, _ := openCheap(t)
	u.after = func(_ time.Duration, f func()) { f() }
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			r := Rights{RU: []string{"alice"}, WG: []string{"ops"}}
			for ctx.Err() == nil {
				if d := r.Read(t.Context(), &Credentials{"alice", "ecila"}, u); d != Allowed {
					t.Errorf("alice: %s", d)
				}
				r.Write(t.Context(), &Credentials{"bob", "bob"}, u)
			}
		})
	}
	for i := range 5 {
		edit(t, u.file.path, func(a *Accounts) error { return a.AddGroup(fmt.Sprint("g", i)) })
		eventually(t, "the change holds", func() bool { _, ok := u.state.Load().accounts.groups[fmt.Sprint("g", i)]; return ok })
	}
	cancel()
	all.Wait()
}

// Who goes while waiting gives their place back, and nothing is found out.
func TestVerifyEndsWithItsContext(t *testing.T) {
	u, _ := openCheap(t)
	for range cap(u.slots) {
		u.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 8)
	for i := range cap(done) {
		go func() {
			_, err := u.Verify(ctx, "alice", fmt.Sprint(i))
			done <- err
		}()
	}
	eventually(t, "they wait", func() bool { return len(u.waiting) == cap(done) })
	cancel()
	for range cap(done) {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if len(u.waiting) != 0 || u.hashes.Load() != 0 || len(u.state.Load().wrong.until) != 0 {
		t.Errorf("%d wait, %d hashes", len(u.waiting), u.hashes.Load())
	}
	for range cap(u.slots) {
		<-u.slots
	}
	if ok, err := u.Verify(t.Context(), "alice", "ecila"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// The real pause ends by itself, and the place is free again.
func TestPauseEnds(t *testing.T) {
	u, _ := openCheap(t)
	for i := range 3 * cap(u.slots) {
		if ok, err := u.Verify(t.Context(), "alice", fmt.Sprint("wrong ", i)); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	}
	eventually(t, "the places are free", func() bool { return len(u.slots) == 0 && len(u.waiting) == 0 })
}
