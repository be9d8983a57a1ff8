package origin

import (
	"strings"
	"sync"
	"testing"

	"github.com/headwater-origin/headwater/segstore"
)

var policies = map[string]Policy{
	"overwrite":           Policy(segstore.Overwrite),
	"first-wins":          Policy(segstore.FirstWins),
	"first-complete-wins": Policy(segstore.FirstCompleteWins),
}

// TestASecondUploadOfACompleteFile comes after the first has ended.
func TestASecondUploadOfACompleteFile(t *testing.T) {
	for name, want := range map[string]struct {
		status int
		body   string
	}{"overwrite": {204, "second"}, "first-wins": {200, "first"}, "first-complete-wins": {200, "first"}} {
		for kind, store := range stores(t) {
			s := start(t, withTLS(t), withMount(store), withMount(func(m *Mount) { m.Policy = policies[name] }))
			s.put("/seg-1.m4s", "first")
			for _, d := range s.doors() {
				for framing, content := range framings {
					a := d.send(t, "PUT", "/seg-1.m4s", content("second"))
					if a.StatusCode != want.status || a.Header.Get("Content-Location") != "/seg-1.m4s" || a.err != nil {
						t.Errorf("%s, %s, %s, %s: %s, %v", name, kind, d.name, framing, a.Status, a.Header)
					}
					d.wants(t, "GET", "/seg-1.m4s", nil, 200, want.body)
				}
			}
			// A manifest is replaced whatever the policy.
			s.put("/live.mpd", "one")
			if a := s.do("PUT", "/live.mpd", "two"); a.StatusCode != 204 {
				t.Errorf("%s: manifest: %s", name, a.Status)
			}
			if a := s.do("GET", "/live.mpd", ""); a.body != "two" {
				t.Errorf("%s: manifest: %q", name, a.body)
			}
		}
	}
}

// TestTwoUploadsAtOnce begins A, then B, and ends them in either order.
func TestTwoUploadsAtOnce(t *testing.T) {
	for _, tc := range []struct {
		policy, order    string
		between          string // what the name stands for while both are under way
		statusA, statusB int
		after            string
	}{
		{"overwrite", "AB", "B", 201, 201, "B"},
		{"overwrite", "BA", "B", 201, 201, "B"},
		{"first-wins", "AB", "A", 201, 200, "A"},
		{"first-wins", "BA", "A", 201, 201, "A"}, // B is kept should A fail
		{"first-wins", "B!A", "A", 0, 201, "B"},
		{"first-complete-wins", "AB", "A", 201, 200, "A"},
		{"first-complete-wins", "BA", "A", 200, 201, "B"},
		{"first-complete-wins", "B!A", "A", 0, 201, "B"},
		{"overwrite", "A!B", "B", 201, 0, "A"},
	} {
		for kind, store := range stores(t) {
			t.Run(strings.Join([]string{kind, tc.policy, tc.order}, ", "), func(t *testing.T) {
				s := start(t, noHold, withTLS(t), withMount(store), withMount(func(m *Mount) { m.Policy = policies[tc.policy] }))
				s.twoUploads(t, tc.order, tc.between, tc.after, map[byte]int{'A': tc.statusA, 'B': tc.statusB})
			})
		}
	}
}

// twoUploads runs two uploads of "AAAAAAAA" and "BBBBBBBB", with a reader on
// each that had the name when it began. "!" breaks the upload named behind it.
func (s *testServer) twoUploads(t *testing.T, order, between, after string, statuses map[byte]int) {
	t.Helper()
	const half = 4
	ups := make(map[byte]*pipedUpload)
	for i, d := range s.doors()[:2] {
		letter := "AB"[i]
		ups[letter] = d.upload(t, "/seg-1.m4s")
		ups[letter].feed(strings.Repeat(string(letter), half))
		eventually(t, "it is under way", func() bool { return s.mounts[0].store.Stats().Growing == i+1 })
	}
	s.growingFile("/seg-1.m4s", half)
	_, resp := s.openGet("/seg-1.m4s")
	expect(t, resp.Body, strings.Repeat(between, half))
	for i := 0; i < len(order); i++ {
		if order[i] == '!' {
			i++
			ups[order[i]].cancel()
			eventually(t, "it has broken", func() bool { return s.mounts[0].store.Stats().FailedUploads == 1 })
			continue
		}
		ups[order[i]].feed(strings.Repeat(order[i:i+1], half))
		if got := ups[order[i]].end(); got != statuses[order[i]] {
			t.Errorf("%c: %d, want %d", order[i], got, statuses[order[i]])
		}
	}
	if !strings.Contains(order, "!"+between) {
		expect(t, resp.Body, strings.Repeat(between, half)) // its reader stays on its version
	}
	if a := s.do("GET", "/seg-1.m4s", ""); a.body != strings.Repeat(after, 2*half) {
		t.Errorf("afterwards: %s %q", a.Status, a.body)
	}
}

// TestUploadsAreNeverSpliced has many uploads of one name at once, each of one
// letter, and readers all the while: whoever gets a file gets one letter.
func TestUploadsAreNeverSpliced(t *testing.T) {
	const uploaders, rounds, pieces, piece = 4, 6, 10, 3000
	for name, policy := range policies {
		for kind, store := range stores(t) {
			t.Run(name+", "+kind, func(t *testing.T) {
				s := start(t, noHold, withTLS(t), withMount(store), withMount(func(m *Mount) { m.Policy = policy }))
				doors := s.doors()
				stop := make(chan struct{})
				var readers, writers sync.WaitGroup
				for i := range 3 {
					readers.Go(func() { s.readWhole(t, doors[i], pieces*piece, stop) })
				}
				for i := range uploaders {
					writers.Go(func() {
						for range rounds {
							up := doors[i%len(doors)].upload(t, "/seg-1.m4s")
							for range pieces {
								up.feed(strings.Repeat(string(rune('a'+i)), piece))
							}
							_ = up.Close()
							if got := up.answer(); got.err != nil || got.status/100 != 2 {
								t.Errorf("%d, %v", got.status, got.err)
							}
						}
					})
				}
				writers.Wait()
				close(stop)
				readers.Wait()
				a := s.do("GET", "/seg-1.m4s", "")
				if a.StatusCode != 200 || !oneLetter(a.body, pieces*piece) {
					t.Errorf("afterwards: %s, %d bytes", a.Status, len(a.body))
				}
				_ = s.do("DELETE", "/seg-1.m4s", "")
				s.nothingLeft(t, 0, 0)
			})
		}
	}
}

// readWhole reads the file again and again, growing or not.
func (s *testServer) readWhole(t *testing.T, d door, size int, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		a := d.send(t, "GET", "/seg-1.m4s", nil)
		switch {
		case a.StatusCode == 404: // before the first
		case a.StatusCode != 200 || a.err != nil || !oneLetter(a.body, size):
			t.Errorf("%s: %s, %d bytes, %v", d.name, a.Status, len(a.body), a.err)
			return
		}
	}
}

func oneLetter(s string, size int) bool {
	return len(s) == size && strings.Count(s, s[:1]) == size
}
