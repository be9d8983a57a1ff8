package folder

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// playlist is one whose lines all say the number, so that a torn one shows.
func playlist(n int) []byte {
	return []byte("#EXTM3U\n" + strings.Repeat(fmt.Sprintf("#version %d\n", n), 1000+n%7) + fmt.Sprintf("#end %d\n", n))
}

func checkPlaylist(body []byte) error {
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	var n int
	if _, err := fmt.Sscanf(lines[len(lines)-1], "#end %d", &n); err != nil {
		return fmt.Errorf("it ends in %q", lines[len(lines)-1])
	}
	if !bytes.Equal(body, playlist(n)) {
		return fmt.Errorf("it is no version %d", n)
	}
	return nil
}

func TestManifestIsNeverTorn(t *testing.T) {
	inPieces := func(r *rig, name string, body []byte) {
		f := r.open(name)
		for p := range slices.Chunk(body, 4000) {
			put(r, f, p)
		}
		shut(r, f)
	}
	for _, c := range []struct {
		what  string
		write func(r *rig, name string, body []byte)
	}{
		{"in place", inPieces},
		{"renamed", (*rig).writeTemp},
		{"cut and written again, without closing", func(r *rig, name string, body []byte) {
			f, err := os.OpenFile(r.path(name), os.O_WRONLY|os.O_CREATE, 0o644)
			r.must(err)
			for _, b := range [][]byte{playlist(1 << 20), body} {
				r.must(f.Truncate(0))
				_, err = f.WriteAt(b[:len(b)/2], 0)
				r.must(err)
				_, err = f.WriteAt(b[len(b)/2:], int64(len(b)/2))
				r.must(err)
			}
			shut(r, f)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			stop := make(chan struct{})
			var viewer sync.WaitGroup
			viewer.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(100 * time.Microsecond):
					}
					if _, body := r.state("live.m3u8"); body != nil {
						if err := checkPlaylist(body); err != nil {
							t.Errorf("a viewer got a torn playlist: %v", err)
							return
						}
					}
				}
			})
			for n := range 300 {
				c.write(r, "live.m3u8", playlist(n))
				if n%50 == 0 {
					r.wantWhole("live.m3u8", playlist(n))
				}
			}
			r.wantWhole("live.m3u8", playlist(299))
			close(stop)
			viewer.Wait()
		})
	}
}

func TestManifestOfAKilledWriter(t *testing.T) {
	for name, versions := range map[string][2]string{
		"live.mpd":  {"<MPD xmlns='x'><Period></Period></MPD>\n", "<MPD xmlns='x'><Per"},
		"live.m3u8": {"#EXTM3U\n#EXT-X-VERSION:3\n", "#EXT"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write(name, []byte(versions[0]))
			r.wantWhole(name, []byte(versions[0]))
			r.write(name, []byte(versions[1]))
			r.wantLog(1, errCutText.Error())
			r.write(name, nil)
			r.settled()
			r.wantWhole(name, []byte(versions[0]))
		})
	}
}

func TestManifestThatDoesNotChangeIsNotPublishedAgain(t *testing.T) {
	sink := new(recorder)
	r := newRig(t, func(s *setup) { s.sink = sink })
	last := func(n int) func() bool {
		return func() bool {
			v := sink.versions("live.m3u8")
			return len(v) > 0 && v[len(v)-1] == string(playlist(n))
		}
	}
	r.write("live.m3u8", playlist(1))
	until(t, "first version", last(1))
	for i := range 5 {
		r.writeTemp("live.m3u8", playlist(1))
		r.write("live.m3u8", playlist(1))
		name := fmt.Sprintf("after-%d.txt", i)
		r.writeTemp(name, []byte("x"))
		until(t, "what came after", func() bool { return len(sink.versions(name)) == 1 })
	}
	r.writeTemp("live.m3u8", playlist(2))
	until(t, "second version", last(2))
	r.remove("live.m3u8")
	until(t, "deletion", func() bool { return sink.count("delete live.m3u8") == 1 })
	r.writeTemp("live.m3u8", playlist(2))
	until(t, "it is there again", func() bool {
		said := sink.said()
		i := slices.Index(said, "delete live.m3u8")
		return slices.Contains(said[i:], "close live.m3u8")
	})
	if v := sink.versions("live.m3u8"); len(v) != 3 {
		t.Errorf("published %d times, want 3: %v", len(v), sink.said())
	}
}

// The writer may begin again just when it was found to have gone.
func TestManifestThatChangesWhileItIsRead(t *testing.T) {
	sink := new(recorder)
	young := false
	var dir string
	sink.refuse = func(name string) error {
		info, err := os.Stat(filepath.Join(dir, name))
		young = young || err != nil || time.Since(info.ModTime()) < grain
		return nil
	}
	changes := 3
	r := newRig(t, func(s *setup) {
		dir = s.opt.Dir
		s.sink = sink
		s.tune = func(f *Folder) {
			f.writers = func(file *os.File) writerState {
				info, err := file.Stat()
				if err == nil && changes > 0 && time.Since(info.ModTime()) >= grain {
					_ = os.WriteFile(filepath.Join(dir, "live.m3u8"), playlist(10+changes), 0o644) // what is read tells
					changes--
				}
				return writerAbsent
			}
		}
	})
	r.write("live.m3u8", playlist(1))
	until(t, "a version", func() bool { return len(sink.versions("live.m3u8")) > 0 })
	r.stop()
	if v := sink.versions("live.m3u8"); len(v) != 1 || v[0] != string(playlist(11)) {
		t.Errorf("of %d versions the first has %d bytes, %v", len(v), len(v[0]), checkPlaylist([]byte(v[0])))
	}
	if young {
		t.Error("a manifest was taken that might have changed without a trace")
	}
}

func TestManifestThatIsTooLarge(t *testing.T) {
	r := newRig(t)
	f := r.open("live.m3u8")
	r.must(f.Truncate(mostManifest + 1)) // takes no room
	shut(t, f)
	r.wantLog(1, errManifestSize.Error())
	if !r.isGone("live.m3u8") {
		t.Error("it is in the store")
	}
}

// TestManifestsComeLast lets segments wait that are there already: a manifest
// that was found after them must not be there before.
func TestManifestsComeLast(t *testing.T) {
	sink := &recorder{gate: make(chan struct{})}
	r := newRig(t, func(s *setup) {
		s.sink = sink
		s.opt.Quiet = time.Hour
		s.files = func(dir string) {
			for _, name := range []string{"seg-1.m4s", "seg-2.m4s"} {
				// more than a follower reads at a time; its absence fails the test
				_ = os.WriteFile(filepath.Join(dir, name), fragment(3*mostPieces*pieceSize), 0o644)
			}
			_ = os.WriteFile(filepath.Join(dir, "a.mpd"), []byte("<MPD></MPD>"), 0o644)
		}
	})
	until(t, "both segments", func() bool { return sink.count("create seg-") == 2 })
	for range 2 * (mostPieces + 2) {
		sink.gate <- struct{}{}
	}
	for range 20 * mostTries { // give a manifest that does not wait some time
		time.Sleep(time.Millisecond)
	}
	if n := sink.count("create a.mpd"); n != 0 {
		t.Errorf("the manifest was published before the segments: %v", sink.said())
	}
	close(sink.gate)
	until(t, "the manifest", func() bool { return sink.count("close a.mpd") == 1 })
	said := sink.said()
	if i := slices.Index(said, "create a.mpd"); i < slices.Index(said, "close seg-1.m4s") || i < slices.Index(said, "close seg-2.m4s") {
		t.Errorf("calls came as %v", said)
	}
	r.stop()
}

// A segment that never begins holds a manifest up for a while only.
func TestManifestDoesNotWaitForEver(t *testing.T) {
	sink := &recorder{gate: make(chan struct{})}
	r := newRig(t, func(s *setup) {
		s.sink = sink
		s.opt.Quiet = 10 * time.Millisecond
	})
	r.write("seg-1.m4s", segment(1))
	until(t, "the segment", func() bool { return sink.count("create seg-1.m4s") == 1 })
	r.write("a.mpd", []byte("<MPD></MPD>"))
	go func() {
		until(t, "the manifest", func() bool { return sink.count("create a.mpd") == 1 })
		close(sink.gate)
	}()
	until(t, "the end of both", func() bool { return sink.count("close") == 2 })
	r.stop()
}
