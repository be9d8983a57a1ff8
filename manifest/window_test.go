package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dynamic is an MPD with what the tests put into it.
func dynamic(attrs, inside string) string {
	return `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" ` + attrs + `>` + inside + `</MPD>`
}

const hour = `timeShiftBufferDepth="PT1H"`

func TestWindows(t *testing.T) {
	const rep = `<Representation id="v1" bandwidth="800000"/>`
	for what, tc := range map[string]struct {
		name, text string
		want       []Window
	}{
		"numbers": {"live/a.mpd", dynamic(`timeShiftBufferDepth="PT10S"`,
			`<Period><AdaptationSet><SegmentTemplate timescale="1000" duration="4000" media="$RepresentationID$/$Number%05d$.m4s"/>`+rep+`</AdaptationSet></Period>`),
			[]Window{{"live/v1/00001.m4s", 4}}},
		"times": {"a.mpd", dynamic(`timeShiftBufferDepth="PT9S"`,
			`<Period><AdaptationSet><SegmentTemplate timescale="10" media="v-$Bandwidth$-$Time$.m4s"><SegmentTimeline><S t="0" d="30" r="4"/><S d="20"/></SegmentTimeline></SegmentTemplate>`+rep+`</AdaptationSet></Period>`),
			[]Window{{"v-800000-1.m4s", 6}}},
		"inherited, and overridden": {"a.mpd", dynamic(`timeShiftBufferDepth="PT10S"`,
			`<Period><SegmentTemplate timescale="1" duration="2" media="p$Number$.m4s"/><AdaptationSet><Representation id="a" bandwidth="1"><SegmentTemplate duration="5"/></Representation><Representation id="b" bandwidth="1"><SegmentTemplate media="b$$$Number$.m4s"/></Representation></AdaptationSet></Period>`),
			[]Window{{"p1.m4s", 3}, {"b$1.m4s", 6}}},
		"base URLs": {"x/y/a.mpd", dynamic(`timeShiftBufferDepth="PT1S"`,
			`<BaseURL>../z/</BaseURL><Period><BaseURL>q/</BaseURL><AdaptationSet><SegmentTemplate duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`),
			[]Window{{"x/z/q/1.m4s", 2}}},
		"a > in text": {"a.mpd", dynamic(`timeShiftBufferDepth="PT1S"`,
			`<ProgramInformation><Title>a > b &gt; c<![CDATA[ > ]]></Title></ProgramInformation><Period><BaseURL>a>b/</BaseURL><AdaptationSet><SegmentTemplate duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`),
			[]Window{{"a>b/1.m4s", 2}}},
		"another server": {"a.mpd", dynamic(hour,
			`<BaseURL>http://other.example/</BaseURL><Period><AdaptationSet><SegmentTemplate duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), nil},
		"climbs out": {"a.mpd", dynamic(hour,
			`<Period><AdaptationSet><SegmentTemplate duration="1" media="b/../../$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), nil},
		"no depth":       {"a.mpd", dynamic("", `<Period><AdaptationSet><SegmentTemplate duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), nil},
		"no duration":    {"a.mpd", dynamic(hour, `<Period><AdaptationSet><SegmentTemplate media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), nil},
		"no timescale":   {"a.mpd", dynamic(hour, `<Period><AdaptationSet><SegmentTemplate timescale="0" duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), nil},
		"no template":    {"a.mpd", dynamic(hour, `<Period><AdaptationSet>`+rep+`</AdaptationSet></Period>`), nil},
		"static":         {"a.mpd", `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ` + hour + `/>`, nil},
		"a huge depth":   {"a.mpd", dynamic(`timeShiftBufferDepth="P9000D"`, `<Period><AdaptationSet><SegmentTemplate timescale="1000" duration="1" media="$Number$.m4s"/>`+rep+`</AdaptationSet></Period>`), []Window{{"1.m4s", mostSegments}}},
		"live playlist":  {"l/a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns1.ts\n#EXTINF:2,\nd/s2.ts?x=1\n", []Window{{"l/d/s2.ts", 5}}},
		"ended playlist": {"a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns1.ts\n#EXT-X-ENDLIST\n", nil},
		"event":          {"a.m3u8", "#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns1.ts\n", nil},
		"nothing yet":    {"a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", nil},
		"multivariant":   {"a.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n", nil},
	} {
		got, err := Windows(tc.name, []byte(tc.text))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}

// TestWindowsOfFFmpeg reads what ffmpeg 5.1 writes with four segments of a second.
func TestWindowsOfFFmpeg(t *testing.T) {
	for name, want := range map[string][]Window{
		"ffmpeg.mpd":         {{"chunk-stream0-00001.m4s", 5}, {"chunk-stream1-00001.m4s", 5}},
		"ffmpeg.m3u8":        {{"chunk-stream0-00002.m4s", 5}},
		"ffmpeg-master.m3u8": nil,
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Windows(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestUnreadable: what cannot be read is one line that names the manifest.
func TestUnreadable(t *testing.T) {
	for name, text := range map[string]string{
		"live/a.mpd": "<MPD", "live/b.mpd": "no XML", "live/c.m3u8": "no playlist", "live/d.mp4": "", "live/e.mpd": "",
		"live/f.mpd": "?xml version=\"1.0\"?>\n<MPD type=\"static\"/>", "live/g.mpd": "<MPD/><MPD/>", "live/h.mpd": "<Period/>",
		"live/i.mpd": "<!DOCTYPE MPD><MPD/>", "live/j.mpd": "<MPD>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</MPD>",
	} {
		_, err := Windows(name, []byte(text))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Windows("a.mp4", nil); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

func FuzzWindows(f *testing.F) {
	for _, name := range []string{"ffmpeg.mpd", "ffmpeg.m3u8", "ffmpeg-master.m3u8"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		list, _ := Windows(name, data)
		for _, w := range list {
			if w.Segments < 1 || w.Name == "" || strings.HasPrefix(w.Name, "/") || strings.HasPrefix(w.Name, "../") {
				t.Errorf("%+v", w)
			}
		}
	})
}
