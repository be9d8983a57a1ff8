package segstore

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValidName(t *testing.T) {
	long := strings.Repeat("x", maxComponent)
	for name, ok := range map[string]bool{
		"a":                              true,
		"a/b/c.m4s":                      true,
		"..a/b..":                        true,
		"a b/ü+%41?x=1":                  true,
		"Streams(video.cmfv)":            true,
		"x.hw-1":                         true,
		long:                             true,
		strings.Repeat(long+"/", 4):      false, // ends in an empty component
		strings.Repeat("a/", 511) + "ab": true,
		strings.Repeat("a/", 512) + "a":  false,
		long + "x":                       false,
		"":                               false,
		"/":                              false,
		"/a":                             false,
		"a/":                             false,
		"a//b":                           false,
		".":                              false,
		"a/./b":                          false,
		"..":                             false,
		"a/../b":                         false,
		`a\b`:                            false,
		"a\nb":                           false,
		"a\x00":                          false,
		"a\x7f":                          false,
		".hw-1.tmp":                      false,
		"a/.hw-x/b":                      false,
	} {
		err := ValidName(name)
		if ok != (err == nil) || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("ValidName(%.40q) = %v", name, err)
		}
	}
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]Kind{
		"live.mpd":                  Manifest,
		"a/Media.M3U8":              Manifest,
		"x.m3u":                     Manifest,
		"x.ism/Manifest":            Other,
		"v.init":                    Init,
		"init-stream0.m4s":          Init,
		"src_dash_track1_init.mp4":  Init,
		"init.mp4":                  Init,
		"video_init_1.mp4":          Init,
		"INIT0.mp4":                 Init,
		"initial-5.m4s":             Segment,
		"v.cmfi":                    Other,
		"init.js":                   Other,
		"init/5.m4s":                Segment,
		"chunk-stream0-00012.m4s":   Segment,
		"12.ts":                     Segment,
		"a1.aac":                    Segment,
		"seg_12_video.m4s":          Segment,
		"seg12.m4s.3":               Part,
		"fileSequence12.4.m4s":      Segment, // by the name alone
		"movie.mp4":                 Other,
		"video-720p.mp4":            Other,
		"Streams(video-700k.cmfv)":  Other,
		"12":                        Other,
		"thumb-12.jpg":              Other,
		"key.3":                     Other,
		"v-99999999999999999999.ts": Other, // no number of ours
	} {
		if got := KindOf(name); got != want {
			t.Errorf("KindOf(%s) = %v, want %v", name, got, want)
		}
	}
}

func TestKindOfContent(t *testing.T) {
	ftyp, moov := box("ftyp", 16), box("moov", 200)
	media := cat(box("moof", 20), box("mdat", 100))
	eachStore(t, func(t *testing.T, open func(Options) *Store) {
		s := open(Options{})
		for _, tc := range []struct {
			name string
			body []byte
			want Kind
		}{
			{"v1.mp4", cat(ftyp, moov), Init},
			{"h264_360p.mp4", cat(ftyp, moov), Init},
			{"seg-1.m4s", cat(box("styp", 16), media), Segment},
			{"self-1.mp4", cat(ftyp, moov, media), Segment},
			{"movie.mp4", cat(ftyp, moov, box("mdat", 100)), Other},
			{"text.html", cat(ftyp, moov), Other},
		} {
			put(t, s, tc.name, tc.body)
			f, err := s.Lookup(tc.name)
			if err != nil || f.Kind() != tc.want {
				t.Errorf("%s has kind %v, %v, want %v", tc.name, f.Kind(), err, tc.want)
			}
		}
		w := start(t, s, "v2.mp4")
		defer w.Abort(errAborted)
		push(t, w, ftyp)
		until(t, "an init segment while it grows", func() bool { return w.File().Kind() == Init })
	})
}

func TestReadName(t *testing.T) {
	for _, tc := range []struct {
		name, track string
		number      uint64
		part        int    // -1 for none
		dotted      string // the track of its other meaning
	}{
		{"chunk-stream0-00012.m4s", "chunk-stream0-$Number$.m4s", 12, -1, ""},
		{"a/b1/seg-12.m4s", "a/b1/seg-$Number$.m4s", 12, -1, ""},
		{"video_123.m4s", "video_$Number$.m4s", 123, -1, ""},
		{"v-1234567890.m4s", "v-$Number$.m4s", 1234567890, -1, ""},
		{"12.ts", "$Number$.ts", 12, -1, ""},
		{"a/12.ts", "a/$Number$.ts", 12, -1, ""},
		{"seg12.m4s.3", "seg$Number$.m4s", 12, 3, ""},
		{"src_dash_track1_7.m4s.1", "src_dash_track1_$Number$.m4s", 7, 1, ""},
		{"fileSequence12.4.m4s", "fileSequence12.$Number$.m4s", 4, -1, "fileSequence$Number$.m4s"},
		{"v1.12.m4s", "v1.$Number$.m4s", 12, -1, "v$Number$.m4s"},
		{"12.4.ts", "12.$Number$.ts", 4, -1, "$Number$.ts"},
		{"seg_12_video.m4s", "seg_$Number$_video.m4s", 12, -1, ""},
		{"v1.2.3.ts", "v1.2.$Number$.ts", 3, -1, "v1.$Number$.ts"},
	} {
		r, ok := readName(tc.name)
		if !ok || r.plain.track != tc.track || r.plain.number != tc.number {
			t.Errorf("%s reads as %+v, %v", tc.name, r, ok)
		}
		if isPart := r.plain.style != notPart; isPart != (tc.part >= 0) || isPart && r.plain.part != uint64(tc.part) {
			t.Errorf("%s reads as part %+v", tc.name, r.plain)
		}
		if r.asPart.track != tc.dotted || r.ambiguous != (tc.dotted != "") {
			t.Errorf("%s may also be %+v", tc.name, r.asPart)
		}
		if track, ok := TrackOf(tc.name); !ok || track != tc.track {
			t.Errorf("TrackOf(%s) = %s, %v", tc.name, track, ok)
		}
	}
	for _, name := range []string{"Streams(video.cmfv)", "live.mpd", "init-1.mp4", "x.m4s", "a1/x.m4s", "seg.m4s.3", "x.12", ".m4s", "v720p.ts"} {
		if r, ok := readName(name); ok {
			t.Errorf("%s reads as %+v", name, r)
		}
	}
}

func FuzzReadName(f *testing.F) {
	for _, name := range []string{"chunk-stream0-00012.m4s", "seg12.m4s.3", "fileSequence12.4.m4s", "12.ts", "a/../b", "v-18446744073709551616.ts", ".1.ts", "1..ts", "$Number$1.ts"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if ValidName(name) == nil && utf8.ValidString(name) && (!fs.ValidPath(name) || name == "." || strings.HasPrefix(path.Base(name), tempPrefix)) {
			t.Fatalf("%q is no path below a root", name)
		}
		KindOf(name)
		r, ok := readName(name)
		if !ok {
			return
		}
		for _, p := range []position{r.plain, r.asPart} {
			if p.track == "" {
				continue
			}
			if n, ok := parseNumber(p.digits); !ok || n != p.number || !strings.Contains(p.track, numberMark) {
				t.Fatalf("%q reads as %+v", name, p)
			}
			if path.Dir(p.track) != path.Dir(name) {
				t.Fatalf("%q is in the track %q of another directory", name, p.track)
			}
		}
		if r.plain.style == notPart {
			dir, track := path.Split(r.plain.track)
			cut := strings.LastIndex(track, numberMark)
			if back := dir + track[:cut] + r.plain.digits + track[cut+len(numberMark):]; back != name {
				t.Fatalf("%q is %q when put together again", name, back)
			}
		}
	})
}

func TestStringsOfKindsAndErrors(t *testing.T) {
	for k, want := range map[Kind]string{Other: "other", Manifest: "manifest", Init: "init", Segment: "segment", Part: "part"} {
		if k.String() != want {
			t.Errorf("%d is %q", k, k.String())
		}
	}
	if got := (&MissingError{Name: "a/b"}).Error(); !strings.Contains(got, "a/b") {
		t.Errorf("it reads %q", got)
	}
}
