package folder

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// writeSlowly writes a file in pieces, as a packager does that encodes it
// meanwhile, and checks that the store has each piece before the next.
func (r *rig) writeSlowly(path string, pieces ...[]byte) {
	r.Helper()
	name, _ := nameOf(path)
	f := r.open(path)
	var body []byte
	for _, p := range pieces {
		put(r, f, p)
		body = append(body, p...)
		r.wantGrowing(name, body)
	}
	shut(r, f)
}

// TestDASHPackager does what ffmpeg -f dash does: init segments that stay open
// until the first segment, segments as NAME.tmp, the manifest as NAME.tmp
// renamed over itself, a window of segments of which old ones are deleted.
func TestDASHPackager(t *testing.T) {
	r := newRig(t)
	const tracks, segments, window = 2, 6, 3
	name := func(track, n int) string { return fmt.Sprintf("chunk-stream%d-%05d.m4s", track, n) }
	var inits []*os.File
	for track := range tracks {
		inits = append(inits, r.open(fmt.Sprintf("init-stream%d.m4s", track)))
	}
	mpd := func(n int) []byte { return fmt.Appendf(nil, "<?xml?>\n<MPD><S t=%d/></MPD>\n", n) }
	for n := 1; n <= segments; n++ {
		for track := range tracks {
			r.writeSlowly(name(track, n)+tempSuffix, segment(n), fragment(n), fragment(7))
			if n == 1 {
				put(t, inits[track], box("ftyp", 20))
				put(t, inits[track], box("moov", 700))
				shut(t, inits[track])
			}
			r.rename(name(track, n)+tempSuffix, name(track, n))
		}
		r.writeTemp("manifest.mpd", mpd(n))
		r.wantWhole("manifest.mpd", mpd(n))
		for track := range tracks {
			r.wantWhole(name(track, n), slices.Concat(segment(n), fragment(n), fragment(7)))
			if n > window {
				r.remove(name(track, n-window))
				r.wantGone(name(track, n-window))
			}
			r.wantWhole(fmt.Sprintf("init-stream%d.m4s", track), append(box("ftyp", 20), box("moov", 700)...))
		}
	}
	// At its end it deletes them all, if it was told so.
	for track := range tracks {
		for n := segments - window + 1; n <= segments; n++ {
			r.remove(name(track, n))
			r.wantGone(name(track, n))
		}
	}
	if n := r.store.Stats().FailedUploads; n != 0 {
		t.Errorf("%d uploads failed:\n%s", n, r.log)
	}
}

// TestHLSPackager does what ffmpeg -f hls does, with and without -hls_flags
// temp_file: TS segments, each variant in a directory of its own that is made
// when it begins, playlists as NAME.tmp or in place.
func TestHLSPackager(t *testing.T) {
	for _, temp := range []bool{false, true} {
		t.Run(fmt.Sprintf("temp_file %v", temp), func(t *testing.T) {
			r := newRig(t)
			list := r.write
			if temp {
				list = r.writeTemp
			}
			for v := range 3 {
				dir := fmt.Sprintf("stream_%d/", v)
				r.mkdir(dir)
				for n := range 4 {
					name := fmt.Sprintf("%sseg%03d.ts", dir, n)
					path := name
					if temp {
						path += tempSuffix
					}
					// ffmpeg writes 32 KiB at a time: no number of packets
					body := packets(400)
					r.writeSlowly(path, body[:32<<10], body[32<<10:64<<10], body[64<<10:])
					if temp {
						r.rename(path, name)
					}
					list(dir+"live.m3u8", playlist(n))
					r.wantWhole(dir+"live.m3u8", playlist(n))
					r.wantWhole(name, body)
				}
			}
			r.write("master.m3u8", playlist(9))
			r.wantWhole("master.m3u8", playlist(9))
			if n := r.store.Stats().FailedUploads; n != 0 {
				t.Errorf("%d uploads failed:\n%s", n, r.log)
			}
		})
	}
}

// TestManyAtOnce has several packagers write, rename and delete while viewers
// read all there is: what is whole must be one of the versions.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t, func(s *setup) { s.tune = func(f *Folder) { f.most = 8 } })
	version := func(p, n, v int) []byte { return append(segment(1+v%3), fragment(p*100+n*10+v)...) }
	stop := make(chan struct{})
	var packagers, viewers sync.WaitGroup
	viewers.Go(func() {
		for {
			for p := range 4 {
				for n := range 5 {
					name := fmt.Sprintf("p%d/seg-%d.m4s", p, n)
					f, err := r.store.Lookup(name)
					if err != nil || f.View().ETag() == "" {
						continue
					}
					v := f.View()
					body := bytes.Join(v.AppendSlices(nil, 0, v.Size()), nil)
					ok := false
					for i := range 12 {
						ok = ok || bytes.Equal(body, version(p, n, i))
					}
					if !ok {
						t.Errorf("%s is whole and none of its versions, %d bytes", name, len(body))
						return
					}
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	for p := range 4 {
		packagers.Go(func() {
			dir := fmt.Sprintf("p%d", p)
			r.mkdir(dir)
			for v := range 12 {
				for n := range 5 {
					name := fmt.Sprintf("%s/seg-%d.m4s", dir, n)
					switch (v + n) % 3 {
					case 0:
						r.writeTemp(name, version(p, n, v))
					case 1:
						r.remove(name)
						r.writeTemp(name, version(p, n, v))
					default:
						f := r.open(name)
						body := version(p, n, v)
						put(t, f, body[:1100])
						time.Sleep(time.Millisecond)
						put(t, f, body[1100:])
						shut(t, f)
					}
				}
			}
		})
	}
	packagers.Wait()
	for p := range 4 {
		for n := range 5 {
			r.wantWhole(fmt.Sprintf("p%d/seg-%d.m4s", p, n), version(p, n, 11))
		}
	}
	close(stop)
	viewers.Wait()
}
