package relay

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headwater-origin/headwater/origin/framing"
)

// FuzzTitles: whatever a tag says, the title is clean text that fits a block.
func FuzzTitles(f *testing.F) {
	f.Add([]byte("ID3\x03\x00\x00\x00\x00\x00\x20TPE1\x00\x00\x00\x03\x00\x00\x00MeTIT2\x00\x00\x00\x07\x00\x00\x01\xff\xfeA\x00b\x00"))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x7f\x7fTIT2\x7f\x7f\x7f\x7f\x00\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, tag []byte) {
		title := id3Title(tag)
		if !utf8.ValidString(title) || len(title) > mostTitle || strings.ContainsAny(title, "\x00\r\n") {
			t.Fatalf("%q", title)
		}
		if b := metadata(title); len(b) != 1+16*int(b[0]) || strings.Count(string(b), "'") != 2 {
			t.Fatalf("%q", b)
		}
	})
}

// FuzzInfo learns from what may be no init segment and no frame.
func FuzzInfo(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x10moov\x00\x00\x00\x08trak"))
	f.Add([]byte("\x00\x00\x00\x01moov\x00\x00\x00\x00\x00\x00\x00\x10"))
	f.Add([]byte("\xff\xfb\x90\xc0"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, format := range []framing.Format{framing.MP3, framing.ADTS, framing.FMP4} {
			l := learner{relay: New(Options{}, nil)}
			l.begin(format, "", "", b)
			l.frame(framing.Frame{Data: b, Header: b, Clean: true})
		}
	})
}

// TestSplitCommand: blanks divide, quotes hold together, nothing else means
// anything.
func TestSplitCommand(t *testing.T) {
	for text, want := range map[string]string{
		"a b":            "a|b",
		"  a \t b\n":     "a|b",
		`a 'b c' "d e"`:  "a|b c|d e",
		`a b'c d'e`:      "a|bc de",
		`a ''`:           "a|",
		`a "it's" '"b"'`: `a|it's|"b"`,
		`a \ b\"c"`:      `a|\|b\c`,
		`a $HOME * ; b`:  "a|$HOME|*|;|b",
		"a ü 'ü ü'":      "a|ü|ü ü",
	} {
		got, err := SplitCommand(text)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "  ", "''", `a "b`, `a 'b"`} {
		if got, err := SplitCommand(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}
