package segstore

import (
	"encoding/binary"
	"testing"
)

func largeBox(kind string, payload int) []byte {
	b := make([]byte, 16+payload)
	binary.BigEndian.PutUint32(b, 1)
	copy(b[4:], kind)
	binary.BigEndian.PutUint64(b[8:], uint64(len(b)))
	return b
}

func TestFragmentEnd(t *testing.T) {
	toEnd := box("mdat", 20)
	binary.BigEndian.PutUint32(toEnd, 0)
	huge := largeBox("mdat", 4)
	binary.BigEndian.PutUint64(huge[8:], 1<<63)
	for _, tc := range []struct {
		name       string
		data       []byte
		end        int64
		structured bool
	}{
		{"nothing", nil, 0, true},
		{"init segment", cat(box("ftyp", 16), box("moov", 500)), 0, true},
		{"one fragment", cat(box("styp", 4), box("moof", 20), box("mdat", 100)), 12 + 28 + 108, true},
		{"and the beginning of another", cat(box("moof", 20), box("mdat", 100), box("moof", 20)), 136, true},
		{"64-bit size", cat(box("moof", 20), largeBox("mdat", 100)), 28 + 116, true},
		{"empty mdat", cat(box("moof", 20), box("mdat", 0)), 36, true},
		{"empty mdat with 64-bit size", largeBox("mdat", 0), 16, true},
		{"mdat to the end of the file", cat(box("moof", 20), toEnd), 0, false},
		{"a size no file has", huge, 0, false},
		{"size smaller than its header", []byte{0, 0, 0, 7, 'm', 'd', 'a', 't'}, 0, false},
		{"not boxes", []byte("#EXTM3U\n#EXT-X-VERSION:7\n"), 0, false},
		{"boxes, then not", cat(box("moof", 20), box("mdat", 100), []byte("trailing rubbish")), 136, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for step := 1; step <= max(1, len(tc.data)); step++ {
				var s boxScanner
				for rest := tc.data; len(rest) > 0; {
					n := min(step, len(rest))
					s.Scan(rest[:n])
					rest = rest[n:]
				}
				if s.FragmentEnd() != tc.end || s.Structured() != tc.structured {
					t.Fatalf("in steps of %d: end %d structured %v, want %d %v", step, s.FragmentEnd(), s.Structured(), tc.end, tc.structured)
				}
			}
		})
	}
}

// FuzzBoxScanner: the cut of the input into reads must not matter, and an end
// must lie within what was seen.
func FuzzBoxScanner(f *testing.F) {
	f.Add(cat(box("styp", 4), box("moof", 20), box("mdat", 100)), uint8(3))
	f.Add(largeBox("mdat", 3), uint8(1))
	f.Add([]byte("not boxes"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		var whole, cut boxScanner
		whole.Scan(data)
		for rest := data; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			cut.Scan(rest[:n])
			rest = rest[n:]
		}
		if whole.FragmentEnd() != cut.FragmentEnd() || whole.Structured() != cut.Structured() {
			t.Errorf("whole %d %v, cut %d %v", whole.FragmentEnd(), whole.Structured(), cut.FragmentEnd(), cut.Structured())
		}
		if whole.FragmentEnd() > int64(len(data)) {
			t.Errorf("end %d of %d bytes", whole.FragmentEnd(), len(data))
		}
	})
}
