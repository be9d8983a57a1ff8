package folder

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeWriters says the same of each file.
type fakeWriters struct{ state atomic.Int32 }

func (w *fakeWriters) set(s writerState)        { w.state.Store(int32(s)) }
func (w *fakeWriters) ask(*os.File) writerState { return writerState(w.state.Load()) }

func faked(w *fakeWriters, quiet time.Duration) func(*setup) {
	return func(s *setup) {
		s.opt.Quiet = quiet
		s.tune = func(f *Folder) { f.writers = w.ask }
	}
}

func TestWriterIsPresent(t *testing.T) {
	w := new(fakeWriters)
	w.set(writerPresent)
	r := newRig(t, faked(w, 10*time.Millisecond))
	r.write("seg-1.m4s", segment(1))
	r.write("seg-2.m4s.tmp", segment(2))
	r.write("live.m3u8", playlist(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	r.wantGrowing("seg-2.m4s", segment(2))
	time.Sleep(200 * time.Millisecond) // many times Quiet
	r.wantGrowing("seg-1.m4s", segment(1))
	r.wantGrowing("seg-2.m4s", segment(2))
	if !r.isGone("live.m3u8") {
		t.Error("a manifest was taken while it is written")
	}
	w.set(writerAbsent)
	r.wantWhole("seg-1.m4s", segment(1))
	r.wantWhole("live.m3u8", playlist(1))
	r.wantLog(1, errNotRenamed.Error())
	r.wantGone("seg-2.m4s")
}

func TestWriterIsAbsent(t *testing.T) {
	w := new(fakeWriters)
	w.set(writerAbsent)
	r := newRig(t, faked(w, time.Hour))
	r.write("seg-1.m4s", segment(1))
	r.wantWhole("seg-1.m4s", segment(1))
	r.writeTemp("seg-2.m4s", segment(2))
	r.wantWhole("seg-2.m4s", segment(2))
	r.write("live.m3u8", playlist(1))
	r.wantWhole("live.m3u8", playlist(1))
	r.write("seg-3.m4s.tmp", segment(1)) // may be of a crash: not shown
	r.settled()
	if !r.isGone("seg-3.m4s") {
		t.Error("a temporary file without a writer is shown")
	}
	w.set(writerPresent)
	r.wantGrowing("seg-3.m4s", segment(1))
}

func TestWriterIsUnknown(t *testing.T) {
	t.Run("not before Quiet", func(t *testing.T) {
		r := newRig(t, faked(new(fakeWriters), time.Hour))
		r.write("seg-1.m4s", segment(1))
		r.write("live.mpd", []byte("<MPD></MPD>"))
		r.write("init-1.m4s", append(box("ftyp", 8), box("moov", 8)...))
		r.writeTemp("seg-2.m4s", segment(2)) // a rename tells enough
		r.wantWhole("seg-2.m4s", segment(2))
		r.writeTemp("live.m3u8", playlist(2))
		r.wantWhole("live.m3u8", playlist(2))
		r.wantGrowing("seg-1.m4s", segment(1))
		r.wantGrowing("init-1.m4s", append(box("ftyp", 8), box("moov", 8)...))
		if !r.isGone("live.mpd") {
			t.Error("a manifest was taken without Quiet")
		}
	})
	t.Run("a tenth of Quiet for what is written in one go", func(t *testing.T) {
		const quiet = 10 * time.Second
		r := newRig(t, faked(new(fakeWriters), quiet))
		init := append(box("ftyp", 8), box("moov", 8)...)
		r.write("init-2.m4s", init[:20])
		r.write("seg-1.m4s", segment(1))
		r.wantGrowing("init-2.m4s", init[:20])
		r.write("init-1.m4s", init)
		r.write("live.m3u8", playlist(1))
		r.wantWhole("init-1.m4s", init)
		r.wantWhole("live.m3u8", playlist(1))
		r.wantGrowing("init-2.m4s", init[:20]) // it does not show its end
		r.wantGrowing("seg-1.m4s", segment(1))
	})
	t.Run("after Quiet", func(t *testing.T) {
		r := newRig(t, faked(new(fakeWriters), 100*time.Millisecond))
		began := time.Now()
		f := r.open("seg-1.m4s")
		put(t, f, segment(1))
		r.wantWhole("seg-1.m4s", segment(1))
		if waited := time.Since(began); waited < 100*time.Millisecond {
			t.Errorf("whole after %v", waited)
		}
		put(t, f, fragment(9)) // it was not
		r.wantWhole("seg-1.m4s", append(segment(1), fragment(9)...))
		shut(t, f)
	})
	t.Run("killed", func(t *testing.T) {
		r := newRig(t, faked(new(fakeWriters), 30*time.Millisecond))
		r.write("seg-1.m4s", segment(1)[:500])
		r.wantLog(1, errCut.Error())
		r.wantGone("seg-1.m4s")
		r.write("seg-2.m4s.tmp", segment(1))
		r.wantLog(1, errNotRenamed.Error())
		r.wantGone("seg-2.m4s")
	})
}

// A packager that has begun the next segment has closed the one before. A system
// that says so is asked at once.
func TestNextSegmentHasTheOneBeforeLookedAt(t *testing.T) {
	var asked atomic.Int32
	r := newRig(t, func(s *setup) {
		s.tune = func(f *Folder) {
			f.writers = func(file *os.File) writerState {
				if strings.HasSuffix(file.Name(), "seg-1.m4s") {
					asked.Add(1)
				}
				return writerPresent
			}
		}
	})
	put(t, r.open("seg-1.m4s"), segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	until(t, "the questions become rare", func() bool {
		before := asked.Load()
		time.Sleep(slowPoll / 2)
		return asked.Load() == before
	})
	const next = 40
	began := time.Now()
	for i := range next {
		before := asked.Load()
		r.open(fmt.Sprintf("seg-%d.m4s.tmp", i+2))
		until(t, "it is asked again", func() bool { return asked.Load() > before })
	}
	if took := time.Since(began); took > next*slowPoll/4 {
		t.Errorf("it was asked again after %v each, which is no sooner than ever", took/next)
	}
}

func TestNewestUploadKeepsTheName(t *testing.T) {
	w := new(fakeWriters)
	w.set(writerPresent)
	r := newRig(t, faked(w, time.Hour))
	put(t, r.open("seg-1.m4s.tmp"), segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	in := r.read("seg-1.m4s")
	put(t, r.open("seg-1.m4s"), segment(2)) // began later than the temporary one
	r.wantGrowing("seg-1.m4s", segment(2))
	r.rename("seg-1.m4s.tmp", "seg-1.m4s")
	in.wantEnd(t, errReplaced)
	w.set(writerAbsent)
	r.wantWhole("seg-1.m4s", segment(1))
}

func TestErrorsOfAFollower(t *testing.T) {
	f := &follower{}
	for err, want := range map[error]how{
		&refusal{errShrunk}:    refused,
		errShrunk:              anew,
		errChanged:             anew,
		errReplaced:            anew,
		os.ErrNotExist:         ended,
		os.ErrClosed:           ended,
		errStopped:             ended,
		errors.New("disk"):     unreadable,
		os.ErrPermission:       unreadable,
		os.ErrDeadlineExceeded: unreadable,
	} {
		if got := f.failed(err); got.how != want {
			t.Errorf("%v ends as %d, want %d", err, got.how, want)
		}
	}
}
