package folder

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/headwater-origin/headwater/segstore"
)

func TestFileGrowsInPlace(t *testing.T) {
	r := newRig(t)
	f := r.open("seg-1.m4s")
	put(t, f, segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	in := r.read("seg-1.m4s")
	put(t, f, fragment(5000))
	whole := append(segment(1), fragment(5000)...)
	r.wantGrowing("seg-1.m4s", whole)
	shut(t, f)
	r.wantWhole("seg-1.m4s", whole)
	in.wantEnd(t, nil)
	if !bytes.Equal(in.got, whole) {
		t.Errorf("a reader got %d bytes, want %d", len(in.got), len(whole))
	}
}

func TestTempFileIsServedUnderItsName(t *testing.T) {
	r := newRig(t)
	f := r.open("seg-1.m4s.tmp")
	put(t, f, segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	if !r.isGone("seg-1.m4s.tmp") {
		t.Error("the temporary name is in the store")
	}
	in := r.read("seg-1.m4s")
	put(t, f, fragment(10))
	shut(t, f)
	r.wantGrowing("seg-1.m4s", append(segment(1), fragment(10)...)) // closed is not renamed
	r.rename("seg-1.m4s.tmp", "seg-1.m4s")
	r.wantWhole("seg-1.m4s", append(segment(1), fragment(10)...))
	in.wantEnd(t, nil)
}

func TestTempFileRenamedBeforeItIsClosed(t *testing.T) {
	r := newRig(t)
	f := r.open("seg-1.m4s.tmp")
	put(t, f, segment(1))
	r.wantGrowing("seg-1.m4s", segment(1))
	r.rename("seg-1.m4s.tmp", "seg-1.m4s")
	r.settled()
	put(t, f, fragment(10))
	r.wantGrowing("seg-1.m4s", append(segment(1), fragment(10)...))
	shut(t, f)
	r.wantWhole("seg-1.m4s", append(segment(1), fragment(10)...))
	if n := r.store.Stats().FailedUploads; n != 0 {
		t.Errorf("%d uploads failed", n)
	}
}

func TestNewVersions(t *testing.T) {
	for _, c := range []struct {
		what    string
		replace func(r *rig, name string, body []byte)
	}{
		{"rename over the name", (*rig).writeTemp},
		{"written again in place", (*rig).write},
		{"renamed from outside", func(r *rig, name string, body []byte) {
			outside := filepath.Join(r.TempDir(), "file")
			r.must(os.WriteFile(outside, body, 0o644))
			r.must(os.Rename(outside, r.path(name)))
		}},
		{"deleted and made again", func(r *rig, name string, body []byte) {
			r.remove(name)
			r.write(name, body)
		}},
		{"renamed from another name", func(r *rig, name string, body []byte) {
			r.write("other", body)
			r.rename("other", name)
			r.wantGone("other")
		}},
		{"a hard link, as some rename", func(r *rig, name string, body []byte) {
			r.write(name+tempSuffix, body)
			r.remove(name)
			r.must(os.Link(r.path(name+tempSuffix), r.path(name)))
			r.remove(name + tempSuffix)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			for i, body := range [][]byte{segment(3), segment(2), segment(2), fragment(4), segment(1)} {
				if i == 2 {
					body[len(body)-1] = 'x' // of the same size
				}
				c.replace(r, "seg-1.m4s", body)
				r.wantWhole("seg-1.m4s", body)
			}
		})
	}
}

func TestFileCutShortWhileItGrows(t *testing.T) {
	r := newRig(t)
	f := r.open("seg-1.m4s")
	put(t, f, segment(3))
	r.wantGrowing("seg-1.m4s", segment(3))
	in := r.read("seg-1.m4s")
	again := r.open("seg-1.m4s")
	put(t, again, segment(1))
	in.wantEnd(t, errShrunk)
	r.wantGrowing("seg-1.m4s", segment(1))
	shut(t, f)
	shut(t, again)
	r.wantWhole("seg-1.m4s", segment(1))
}

// An MP4 muxer that is not told to make fragments goes back to its mdat.
func TestFileChangedBehindItsEnd(t *testing.T) {
	for _, name := range []string{"movie.mp4", "movie.mp4.tmp"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := r.open(name)
			put(t, f, box("ftyp", 16))
			open := []byte{0, 0, 0, 0, 'm', 'd', 'a', 't', 1, 2, 3, 4}
			put(t, f, open)
			r.wantGrowing("movie.mp4", append(box("ftyp", 16), open...))
			in := r.read("movie.mp4")
			put(t, f, box("moov", 40))
			_, err := f.WriteAt([]byte{0, 0, 0, 12}, 24)
			r.must(err)
			shut(t, f)
			if name != "movie.mp4" {
				r.rename(name, "movie.mp4")
			}
			want, err := os.ReadFile(r.path("movie.mp4"))
			r.must(err)
			r.wantWhole("movie.mp4", want)
			in.wantEnd(t, errChanged)
		})
	}
}

func TestDeletedFileIsDeleted(t *testing.T) {
	t.Run("whole", func(t *testing.T) {
		r := newRig(t)
		r.write("seg-1.m4s", segment(1))
		r.wantWhole("seg-1.m4s", segment(1))
		r.remove("seg-1.m4s")
		r.wantGone("seg-1.m4s")
	})
	t.Run("while it grows", func(t *testing.T) {
		r := newRig(t)
		put(t, r.open("seg-1.m4s"), segment(1))
		r.wantGrowing("seg-1.m4s", segment(1))
		in := r.read("seg-1.m4s")
		r.remove("seg-1.m4s")
		r.wantGone("seg-1.m4s")
		in.wantEnd(t, errDeleted)
	})
	t.Run("temporary, with a version before", func(t *testing.T) {
		r := newRig(t)
		r.write("seg-1.m4s", segment(1))
		r.wantWhole("seg-1.m4s", segment(1))
		put(t, r.open("seg-1.m4s.tmp"), segment(2))
		r.wantGrowing("seg-1.m4s", segment(2))
		in := r.read("seg-1.m4s")
		r.remove("seg-1.m4s.tmp")
		in.wantEnd(t, errDeleted)
		r.wantWhole("seg-1.m4s", segment(1))
		r.remove("seg-1.m4s")
		r.wantGone("seg-1.m4s")
	})
	t.Run("the version before, while a temporary grows", func(t *testing.T) {
		r := newRig(t)
		r.write("seg-1.m4s", segment(1))
		r.wantWhole("seg-1.m4s", segment(1))
		f := r.open("seg-1.m4s.tmp")
		put(t, f, segment(2))
		r.wantGrowing("seg-1.m4s", segment(2))
		r.remove("seg-1.m4s")
		r.settled()
		shut(t, f)
		r.rename("seg-1.m4s.tmp", "seg-1.m4s")
		r.wantWhole("seg-1.m4s", segment(2))
	})
	t.Run("the version before, with a temporary left", func(t *testing.T) {
		r := newRig(t, briefly)
		r.write("seg-1.m4s", segment(1))
		r.wantWhole("seg-1.m4s", segment(1))
		r.write("seg-1.m4s.tmp", segment(2))
		r.wantLog(1, errNotRenamed.Error())
		r.remove("seg-1.m4s")
		r.wantGone("seg-1.m4s")
	})
}

func TestKilledWriter(t *testing.T) {
	ts := bytes.Repeat(append([]byte{syncByte}, make([]byte, packetSize-1)...), 10)
	for _, c := range []struct {
		name string
		body []byte
		err  error
	}{
		{"seg-1.m4s", segment(2)[:1500], errCut},
		{"seg-2.m4s", append(segment(1), box("moof", 100)...), errCut},
		{"seg-3.mp4.tmp", segment(1), errNotRenamed},
		{"seg-4.ts", ts[:1000], errCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, briefly)
			name, _ := nameOf(c.name)
			f := r.open(c.name)
			put(t, f, c.body)
			r.wantGrowing(name, c.body)
			in := r.read(name)
			shut(t, f)
			in.wantEnd(t, c.err)
			r.wantGone(name)
			r.wantLog(1, c.err.Error())
			r.settled()
			if !r.isGone(name) {
				t.Error("it came again")
			}
		})
	}
}

func TestFileIsWrittenOnAfterItWasClosed(t *testing.T) {
	r := newRig(t)
	body := segment(1)
	r.write("seg-1.m4s", body)
	r.wantWhole("seg-1.m4s", body)
	for range 4 {
		f, err := os.OpenFile(r.path("seg-1.m4s"), os.O_WRONLY|os.O_APPEND, 0)
		r.must(err)
		put(t, f, fragment(10))
		shut(t, f)
		body = append(body, fragment(10)...)
		r.wantWhole("seg-1.m4s", body)
	}
}

func TestEmptyFileIsNotPublished(t *testing.T) {
	r := newRig(t)
	f := r.open("seg-1.m4s")
	r.write("empty.m4s", nil)
	r.settled()
	for _, name := range []string{"seg-1.m4s", "empty.m4s"} {
		if s, _ := r.state(name); !r.isGone(name) {
			t.Errorf("%s is %s before its first byte", name, s)
		}
	}
	put(t, f, segment(1))
	shut(t, f)
	r.wantWhole("seg-1.m4s", segment(1))
}

func TestLargeFile(t *testing.T) {
	r := newRig(t)
	body := bytes.Repeat([]byte("0123456789abcde\n"), 1<<20)
	r.write("large.bin", body)
	r.wantWhole("large.bin", body)
}

func TestRunAbortsWhatIsUnderWay(t *testing.T) {
	r := newRig(t)
	put(t, r.open("seg-1.m4s"), segment(1))
	put(t, r.open("seg-2.m4s.tmp"), segment(1))
	r.write("seg-3.m4s", segment(1))
	r.wantWhole("seg-3.m4s", segment(1))
	var ins []*reader
	for _, name := range []string{"seg-1.m4s", "seg-2.m4s"} {
		r.wantGrowing(name, segment(1))
		ins = append(ins, r.read(name))
	}
	r.stop()
	for _, in := range ins {
		<-in.done
		if in.err == nil {
			t.Error("an upload became whole because Run ended")
		}
	}
	if s, _ := r.state("seg-3.m4s"); s != segstore.Complete {
		t.Errorf("what was whole is %s", s)
	}
	if n := r.store.Stats().Growing; n != 0 {
		t.Errorf("%d uploads are under way", n)
	}
}
