package framing

import (
	"bytes"
	"slices"
	"testing"
)

// seeds are streams of each format, made without ffmpeg.
func seeds(f *testing.F) {
	add := func(size uint16, parts ...[]byte) { f.Add(size, slices.Concat(parts...)) }
	add(7, []byte("ID3\x04\x00\x00\x00\x00\x00\x02xx\xff\xfb\x90\x00"))
	add(100, bytes.Repeat(append([]byte{0xff, 0xf3, 0x14, 0xc0}, make([]byte, 20)...), 5), []byte("TAG"))
	add(100, adtsFrame(30, true), adtsFrame(31, true), adtsFrame(50, false), adtsFrame(51, false))
	key := tsPacket(0x101, true, marksAccess, 90_000, pes(0, 0, 1, 5))
	add(500, psi(0, patOf(0x100)), psi(0x100, pmtOf(1, typeAVC, 0x101, 0x0f, 0x102)), key, key[50:], key)
	add(188, psi(0, patOf(0x100, 0x100)), psi(0x100, pmtOf(1, 0x0f, 0x102), pmtOf(2, typeHEVC, 0x101)), key)
	add(3, videoAndSound(), fragmentOf(trafOf(1, 0, keyFirst...), trafOf(2, 5, 0xf00, 1, 1, 1, 1, 1)))
	add(900, box("styp"), box("sidx"), videoAndSound(), largeBox("moof", trafOf(1, 7, keySecond...)), largeBox("mdat", nil))
	add(9, []byte("\x00\x00\x00\x10ftypiso6\x00\x00\x00\x00\x00\x00\x00\x08moof\x00\x00\x00\x09mdatx"))
}

// fuzzFramer holds what a Framer promises of any bytes, in any pieces: all come
// out, time does not go back, headers are where viewers begin; and in which
// pieces they came makes no difference to where that is.
func fuzzFramer(f *testing.F, format Format) {
	seeds(f)
	f.Fuzz(func(t *testing.T, size uint16, data []byte) {
		pieces, whole := cut(t, New(format), data, int(size)), cut(t, New(format), data, len(data))
		for _, fr := range pieces {
			if fr.Header != nil && !fr.Clean {
				t.Fatal("a header where nobody begins")
			}
		}
		if format != TS { // where lost packets are looked for, it depends on what has come
			if got, want := beginnings(pieces), beginnings(whole); !slices.Equal(got, want) {
				t.Fatalf("in pieces of %d viewers begin at %v, else at %v", size, got, want)
			}
		}
	})
}

// beginnings returns the offsets of clean frames.
func beginnings(frames []Frame) (at []int) {
	offset := 0
	for _, f := range frames {
		if f.Clean {
			at = append(at, offset)
		}
		offset += len(f.Data)
	}
	return at
}

func FuzzMP3(f *testing.F)  { fuzzFramer(f, MP3) }
func FuzzADTS(f *testing.F) { fuzzFramer(f, ADTS) }
func FuzzTS(f *testing.F)   { fuzzFramer(f, TS) }
func FuzzFMP4(f *testing.F) { fuzzFramer(f, FMP4) }

func FuzzDetect(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, size uint16, data []byte) {
		for _, name := range []string{"", "a.ts", "a.mp3", "a.aac", "a.mp4"} {
			if got := Detect(name, "", data[:min(len(data), int(size))]); got > FMP4 {
				t.Fatal(got)
			}
		}
	})
}

// FuzzBoxes reads init segments and fragments whose lengths lie.
func FuzzBoxes(f *testing.F) {
	f.Add(videoAndSound(), fragmentOf(trafOf(1, 0, keyFirst...), trafOf(2, 5, 0xf00, 1, 1, 1, 1, 1)))
	f.Add(initOf(trackBox(1, "vide", 1)), fragmentOf(trafOf(1, 0, 0, 1<<32-1)))
	f.Fuzz(func(_ *testing.T, moov, moof []byte) {
		all, _ := readTracks(payloadOf(moov))
		readFragment(payloadOf(moof), all)
		boxes(moov, func(_ string, b []byte) {
			all, _ := readTracks(b)
			readFragment(moof, all)
		})
	})
}
