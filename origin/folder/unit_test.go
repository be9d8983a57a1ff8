package folder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"testing"
)

func box64(kind string, payload int) []byte {
	b := append([]byte{0, 0, 0, 1}, kind...)
	b = binary.BigEndian.AppendUint64(b, uint64(16+payload))
	return append(b, make([]byte, payload)...)
}

func TestBoxWalk(t *testing.T) {
	open := append([]byte{0, 0, 0, 0}, "mdat12345"...)
	for _, c := range []struct {
		what string
		body []byte
		want bool
	}{
		{"nothing", nil, true},
		{"segment", segment(3), true},
		{"init", append(box("ftyp", 16), box("moov", 300)...), true},
		{"64-bit size", append(box("moof", 9), box64("mdat", 70)...), true},
		{"box to the end", append(box("ftyp", 8), open...), true},
		{"not an MP4", []byte("WEBVTT\n\n00:00 --> 00:01\nhello\n"), true},
		{"MPEG-TS", append([]byte{syncByte}, make([]byte, 300)...), true},
		{"size that cannot be", append(box("styp", 8), 0, 0, 0, 7, 'm', 'd', 'a', 't'), true},
		{"size beyond belief", append(box("styp", 8), append([]byte("\x00\x00\x00\x01mdat"), bytes.Repeat([]byte{255}, 8)...)...), true},
		{"cut in a payload", segment(3)[:1500], false},
		{"cut in a header", append(box("styp", 8), 0, 0, 0), false},
		{"cut in the first header", []byte{0, 0, 0, 24, 'f', 't'}, false},
		{"cut in a 64-bit size", box64("mdat", 5)[:12], false},
		{"cut in a 64-bit box", box64("mdat", 50)[:30], false},
		{"moof without mdat", append(segment(1), box("moof", 8)...), false},
		{"ftyp alone", box("ftyp", 8), false},
		{"clock alone", append(segment(1), box("prft", 16)...), false},
	} {
		for _, piece := range []int{1, 3, 7, 1 << 20} {
			var b boxWalk
			for p := range slices.Chunk(c.body, piece) {
				b.scan(p)
			}
			if got := b.whole(); got != c.want {
				t.Errorf("%s, in pieces of %d: whole %v, want %v", c.what, piece, got, c.want)
			}
		}
	}
}

// FuzzBoxWalk checks that the pieces do not matter, and that a cut segment is
// never whole but at the end of a fragment.
func FuzzBoxWalk(f *testing.F) {
	f.Add(segment(2), uint16(5), uint16(100))
	f.Add(box64("mdat", 20), uint16(1), uint16(17))
	f.Add([]byte("\x00\x00\x00\x00mdat1"), uint16(3), uint16(9))
	f.Fuzz(func(t *testing.T, body []byte, piece, at uint16) {
		var once, pieces boxWalk
		once.scan(body)
		for p := range slices.Chunk(body, max(1, int(piece))) {
			pieces.scan(p)
		}
		if once.whole() != pieces.whole() || once.foreign != pieces.foreign || once.open != pieces.open {
			t.Fatalf("at once %+v, in pieces %+v", once, pieces)
		}
		seg := segment(3)
		cut := int(at) % len(seg)
		var b boxWalk
		b.scan(seg[:cut])
		ends := []int{0, len(segment(0)), len(segment(1)), len(segment(2))}
		if b.whole() != slices.Contains(ends, cut) {
			t.Fatalf("cut at %d of %d: whole %v", cut, len(seg), b.whole())
		}
	})
}

func packets(n int) []byte {
	return bytes.Repeat(append([]byte{syncByte}, make([]byte, packetSize-1)...), n)
}

func TestPacketWalk(t *testing.T) {
	encrypted := packets(4)
	encrypted[packetSize] = 0
	for _, c := range []struct {
		what string
		body []byte
		want bool
	}{
		{"nothing", nil, true},
		{"packets", packets(3), true},
		{"encrypted", encrypted[:500], true},
		{"text", []byte("hello"), true},
		{"cut", packets(3)[:400], false},
		{"cut after a sync byte", packets(3)[:packetSize+1], false},
	} {
		for _, piece := range []int{1, 187, 188, 189, 1 << 20} {
			var w packetWalk
			for p := range slices.Chunk(c.body, piece) {
				w.scan(p)
			}
			if got := w.whole(); got != c.want {
				t.Errorf("%s, in pieces of %d: whole %v, want %v", c.what, piece, got, c.want)
			}
		}
	}
}

func FuzzPacketWalk(f *testing.F) {
	f.Add(packets(3)[:400], uint16(100))
	f.Fuzz(func(t *testing.T, body []byte, piece uint16) {
		var once, pieces packetWalk
		once.scan(body)
		for p := range slices.Chunk(body, max(1, int(piece))) {
			pieces.scan(p)
		}
		if once != pieces {
			t.Fatalf("at once %+v, in pieces %+v", once, pieces)
		}
	})
}

func TestNames(t *testing.T) {
	for file, want := range map[string]string{
		"seg-1.m4s": "seg-1.m4s", "v/seg-1.m4s.tmp": "v/seg-1.m4s", "live.mpd.tmp": "live.mpd", "a.tmp.tmp": "a.tmp",
	} {
		name, w := nameOf(file)
		if name != want || pathOf(name, w) != file {
			t.Errorf("%s is %s, and that is %s", file, name, pathOf(name, w))
		}
	}
	for name, ok := range map[string]bool{"a/b.m4s": true, "a.tmp": false, "": false, ".hw-x": false, `a\b`: false} {
		if err := usable(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, c := range []struct {
		file, dir string
		want      bool
	}{{"a/b", "a", true}, {"ab/c", "a", false}, {"a", "a", false}, {"a", "", true}} {
		if got := below(c.file, c.dir); got != c.want {
			t.Errorf("%q below %q: %v", c.file, c.dir, got)
		}
	}
}

func TestNotesAreBounded(t *testing.T) {
	var log logBuffer
	n := newNotes(slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 {
		for i := range 2 * mostNoted {
			n.skipped(fmt.Sprint(i), errLink)
		}
	}
	if got := log.count("file skipped"); got != mostNoted {
		t.Errorf("%d lines, want %d", got, mostNoted)
	}
	if got := log.count("not logged"); got != 1 {
		t.Errorf("%d lines say that there are more, want 1", got)
	}
}
