package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mustFollowDisk wants each download to be the file on disk, and so many of ten
// to have begun before the packager wrote its last byte.
func mustFollowDisk(t *testing.T, dir string, got []*download, ofTen int) {
	t.Helper()
	early := 0
	for _, d := range got {
		file := filepath.Join(dir, strings.TrimPrefix(d.path, "/"))
		want, err := os.ReadFile(file)
		info, statErr := os.Stat(file)
		if err != nil || statErr != nil {
			t.Errorf("%s: %v", d.path, err)
			continue
		}
		if d.status != 200 || d.err != nil || string(d.body) != string(want) {
			t.Errorf("%s: got %d bytes (status %d, end: %v) that are not the %d bytes on disk", d.path, len(d.body), d.status, errOrClean(d.err), len(want))
		}
		if d.chunked && len(d.pieces) > 1 && d.pieces[0].at.Before(info.ModTime()) {
			early++
		}
	}
	if early*10 < len(got)*ofTen {
		t.Errorf("%d of %d segments began to come before they were written to their end", early, len(got))
	}
}

// followFolder asks for the names one after another.
func followFolder(t *testing.T, s *server, names []string) []*download {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	got, err := follow(ctx, s.addr(), names)
	if err != nil {
		t.Error(err)
	}
	return got
}

// mustEqualDisk waits until what is served under a name is what is on disk.
func mustEqualDisk(t *testing.T, s *server, dir, name string) {
	t.Helper()
	eventually(t, name+" is served as it is on disk", func() bool {
		want, err := os.ReadFile(filepath.Join(dir, name))
		d := fetch(t, s, "/"+name)
		return err == nil && d.status == 200 && string(d.body) == string(want)
	})
}

// TestWatchDASH follows the folder that ffmpeg's DASH muxer writes to.
func TestWatchDASH(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, "--watch", dir, "--max-cache-segs", "30")
	enc := pushDASH(t, push{seconds: 12}, filepath.Join(dir, "live.mpd"))
	mustFollowDisk(t, dir, followFolder(t, s, dashNames("", 0, 1, 5)), 8)
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("ffmpeg's exit code is %d", code)
	}
	for _, name := range []string{"live.mpd", "init-stream0.m4s", "init-stream1.m4s", "chunk-stream1-00002.m4s"} {
		mustEqualDisk(t, s, dir, name)
	}
	mustPlay(t, s.http+"/live.mpd", 4)
}

// TestWatchHLS follows HLS in a folder made meanwhile, and the deletion of what
// has left the playlist. ffmpeg's HLS muxer writes each segment in one go.
func TestWatchHLS(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, "--watch", dir, "--max-cache-segs", "30")
	live := filepath.Join(dir, "live")
	if err := os.Mkdir(live, 0o755); err != nil {
		t.Fatal(err)
	}
	args := append(source(), "-t", "14", "-f", "hls", "-hls_time", strconv.Itoa(segDur), "-hls_list_size", "3",
		"-hls_delete_threshold", "1", "-hls_flags", "delete_segments", "-hls_segment_filename", filepath.Join(live, "seg%d.ts"))
	enc := start(t, nil, "ffmpeg", append(args, filepath.Join(live, "live.m3u8"))...)
	got := followFolder(t, s, []string{"/live/seg0.ts", "/live/seg1.ts", "/live/seg2.ts"})
	mustFollowDisk(t, dir, got, 0)
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("ffmpeg's exit code is %d", code)
	}
	mustEqualDisk(t, s, dir, "live/live.m3u8")
	mustPlay(t, s.http+"/live/live.m3u8", 4)
	eventually(t, "what ffmpeg has deleted is gone", func() bool {
		_, err := os.Stat(filepath.Join(live, "seg0.ts"))
		return os.IsNotExist(err) && statusOf(t, s, "/live/seg0.ts") == 404
	})
}

// TestWatchInPlace follows segments that grow under their own names, which
// nobody renames: that one is whole is seen by its writer closing it.
func TestWatchInPlace(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, "--watch", dir, "--max-cache-segs", "30")
	args := append(source(), "-t", "12", "-f", "segment", "-segment_time", strconv.Itoa(segDur), "-segment_format", "mpegts",
		"-segment_format_options", "flush_packets=1", "-segment_list_flags", "+live", "-segment_list", filepath.Join(dir, "live.m3u8"))
	enc := start(t, nil, "ffmpeg", append(args, filepath.Join(dir, "seg%d.ts"))...)
	mustFollowDisk(t, dir, followFolder(t, s, []string{"/seg0.ts", "/seg1.ts", "/seg2.ts", "/seg3.ts", "/seg4.ts"}), 8)
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("ffmpeg's exit code is %d", code)
	}
	mustEqualDisk(t, s, dir, "live.m3u8")
	mustPlay(t, s.http+"/live.m3u8", 4)
}

// TestWatchKilledPackager: what a packager left half written when it was killed
// breaks its viewers' transfers, and is no file afterwards.
func TestWatchKilledPackager(t *testing.T) {
	need(t, "ffmpeg")
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, "--watch", dir, "--max-cache-segs", "30")
	enc := pushDASH(t, push{seconds: 60}, filepath.Join(dir, "live.mpd"))
	names := dashNames("", 0, 2, 3)
	mustFollowDisk(t, dir, followFolder(t, s, names[:1]), 8)
	done := make(chan *download, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		v := &viewer{addr: s.addr()}
		defer v.close()
		d, err := v.get(ctx, names[1])
		if err != nil {
			t.Error(err)
		}
		done <- d
	}()
	half := filepath.Join(dir, filepath.Base(names[1])+".tmp")
	eventually(t, "the next segment has begun", func() bool {
		info, err := os.Stat(half)
		return err == nil && info.Size() > 10<<10
	})
	enc.kill()
	select {
	case d := <-done:
		if d != nil && (d.status != 200 || d.err == nil) {
			t.Errorf("the viewer of the half segment: status %d, end: %v", d.status, errOrClean(d.err))
		}
	case <-time.After(patience):
		t.Fatal("the viewer of the half segment still waits")
	}
	if got := statusOf(t, s, names[1]); got != 404 {
		t.Errorf("afterwards the half segment is answered %d", got)
	}
}
