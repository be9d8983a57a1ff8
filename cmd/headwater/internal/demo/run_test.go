package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// phase is how long after the bubble's start, which is one of a segment and of
// the clip, the channel is started.
const phase = 6250 * time.Millisecond

// simulate runs the channel against h for d of a bubble's time and returns
// what it last reported, but the longest chunk delay. It begins in the middle
// of a chunk.
func simulate(t *testing.T, h http.Handler, d time.Duration) (p Progress) {
	t.Helper()
	time.Sleep(phase)
	client, closeAll := serveInMemory(h)
	defer closeAll()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	err := Run(ctx, Options{Base: "http://origin/demo", Client: client, Progress: func(now Progress) {
		now.ChunkDelay = max(now.ChunkDelay, p.ChunkDelay)
		p = now
	}})
	if err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second) // of the bubble's, for the server to see the end
	return p
}

// runFrom returns the options of simulate, the first segment the channel
// sends and the one it is in when it begins.
func runFrom(t *testing.T) (o Options, first, current int64) {
	o = defaults(t)
	current = int64(time.Now().Add(phase).Sub(Anchor) / o.SegmentDuration)
	return o, current - window, current
}

// Over a quarter of an hour every chunk comes when it is due and not before, and every
// segment is whole and what the timeline says.
func TestInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, first, current := runFrom(t)
		server := &origin{}
		p := simulate(t, server, 15*time.Minute)
		if p.Errors != 0 {
			t.Fatalf("%d errors, last: %v", p.Errors, p.LastError)
		}
		last := current + 450
		var sent int64
		for _, u := range cutsFrom(t, o, first) {
			for n := first; n <= last; n++ {
				got := server.files["/demo/"+u.segmentName(n)]
				if got == nil {
					t.Fatalf("%s was not put", u.segmentName(n))
				}
				sent += int64(len(got.data))
				checkUpload(t, u, n, got, n > current, n < last)
			}
		}
		if p.Segment != last || p.Bytes != sent {
			t.Errorf("reported segment %d and %d bytes, want %d and %d", p.Segment, p.Bytes, last, sent)
		}
	})
}

// checkUpload wants the bytes of segment n, if live each chunk in a read of
// its own at the time it is due. One that is not whole must have been aborted.
func checkUpload(t *testing.T, u *cut, n int64, got *upload, live, whole bool) {
	t.Helper()
	want := segmentBytes(t, u, n)
	if whole && (got.err != nil || !bytes.Equal(got.data, want)) {
		t.Fatalf("%s: %d bytes (%v), want %d others", u.segmentName(n), len(got.data), got.err, len(want))
	}
	if !whole && (got.err == nil || !bytes.HasPrefix(want, got.data) || len(got.data) == len(want)) {
		t.Fatalf("%s: ended with %v after %d of %d bytes", u.segmentName(n), got.err, len(got.data), len(want))
	}
	if !live || !whole {
		return
	}
	if late := got.began.Sub(Anchor.Add(time.Duration(n) * 2 * time.Second)); late != 0 {
		t.Fatalf("%s began %v after its time", u.segmentName(n), late)
	}
	end := int64(0)
	for k := range u.perSegment {
		chunk, _ := u.chunk(n, k)
		end += int64(len(chunk))
		for _, r := range got.reads {
			if r.end > end-int64(len(chunk)) && r.end <= end && !r.at.Equal(u.due(n, k)) {
				t.Fatalf("%s: chunk %d came at %v, due %v", u.segmentName(n), k, r.at, u.due(n, k))
			}
		}
	}
}

// A viewer that goes by the MPD alone finds each segment when it may ask for
// it, and the playlists name complete segments only.
func TestManifestsTellTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, first, _ := runFrom(t)
		server := &origin{}
		go func() {
			time.Sleep(phase + time.Second)
			for range 300 { // at all phases of a segment
				checkMPD(t, o, server)
				checkPlaylists(t, server, first)
				time.Sleep(70 * time.Millisecond)
			}
		}()
		simulate(t, server, 30*time.Second)
		for i, name := range []string{"init-video.mp4", "init-audio.mp4", MPDName, MasterName} {
			if server.puts[i] != "/demo/"+name {
				t.Errorf("request %d was for %s, want %s", i, server.puts[i], name)
			}
		}
	})
}

// An origin that refuses costs what it refuses, and then gets again what it
// may have lost.
func TestRefusedSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, first, current := runFrom(t)
		u := cutsFrom(t, o, first)[0]
		server := &origin{}
		server.refuse = func(path string) bool {
			return path == "/demo/"+u.segmentName(current+2) || path == "/demo/"+u.segmentName(current+3)
		}
		p := simulate(t, server, 13*time.Second)
		if p.Errors != 2 || p.LastError == nil || !strings.Contains(p.LastError.Error(), "503") {
			t.Errorf("%d errors, last: %v; want 2 of 503", p.Errors, p.LastError)
		}
		for n := current + 4; n < current+6; n++ {
			checkUpload(t, u, n, server.files["/demo/"+u.segmentName(n)], true, true)
		}
		mpds := 0
		for _, path := range server.puts {
			if path == "/demo/"+MPDName {
				mpds++
			}
		}
		if mpds != 3 {
			t.Errorf("the MPD was put %d times, want 3: at the start and after each refusal", mpds)
		}
		list := string(server.files["/demo/video.m3u8"].data)
		if strings.Contains(list, u.segmentName(current+3)) || !strings.Contains(list, u.segmentName(current+5)) {
			t.Errorf("playlist after the refusals:\n%s", list)
		}
	})
}

// An origin that stalls gets no more than a few requests at a time, and none
// for segments that are no longer announced.
func TestStalledOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults(t)
		open, most := 0, 0
		server := &origin{} // its lock guards open and most
		stall := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			server.mu.Lock()
			open++
			most = max(most, open)
			server.mu.Unlock()
			now := int64(time.Since(Anchor) / o.SegmentDuration)
			if n := number(r.URL.Path); n >= 0 && n < now-window-1 {
				t.Errorf("%s begins when segment %d is due", r.URL.Path, now)
			}
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				<-r.Context().Done() // never an answer
			}
			server.mu.Lock()
			open--
			server.mu.Unlock()
		})
		p := simulate(t, stall, 5*time.Minute)
		if p.Errors < 100 || !errors.Is(p.LastError, context.DeadlineExceeded) {
			t.Errorf("%d errors, last: %v", p.Errors, p.LastError)
		}
		if most > 12 || open != 0 {
			t.Errorf("%d requests at a time, %d left open", most, open)
		}
	})
}

// The probe measures what a viewer waits for a chunk. What was there before it
// is not counted, and it does without if it finds nothing.
func TestChunkDelay(t *testing.T) {
	const delay = 30 * time.Millisecond
	for _, c := range []struct {
		hidden time.Duration // of every segment's time, from its beginning
		want   time.Duration
	}{{0, delay}, {450 * time.Millisecond, delay}, {2 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			server := &origin{delay: delay, hide: func(string) bool {
				return time.Since(Anchor)%(2*time.Second) < c.hidden
			}}
			p := simulate(t, server, 9*time.Second)
			if p.ChunkDelay != c.want || p.Errors != 0 {
				t.Errorf("hidden for %v: delay %v, want %v; %d errors", c.hidden, p.ChunkDelay, c.want, p.Errors)
			}
		})
	}
}
