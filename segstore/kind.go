package segstore

import (
	"path"
	"strings"
)

// Kind is what part a file plays in a stream.
type Kind uint8

// The kinds. A Part is a piece of a segment in a file of its own (LL-HLS).
const (
	Other Kind = iota
	Manifest
	Init
	Segment
	Part
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Manifest:
		return "manifest"
	case Init:
		return "init"
	case Segment:
		return "segment"
	case Part:
		return "part"
	case Other:
	}
	return "other"
}

// KindOf tells the kind by the name alone: manifests by their extension, init
// segments by ".init" or the word "init" in the file's name, segments by a
// media extension and a growing number, parts by a number behind that
// (seg12.m4s.3). A name like fileSequence12.4.m4s counts as a segment here; a
// Store finds out by its siblings, see File.Kind.
func KindOf(name string) Kind {
	base := path.Base(name)
	ext := strings.ToLower(path.Ext(base))
	switch ext {
	case ".mpd", ".m3u8", ".m3u":
		return Manifest
	case ".init":
		return Init
	}
	if isMediaExt(ext) && hasInitWord(base[:len(base)-len(ext)]) {
		return Init
	}
	r, ok := readName(name)
	switch {
	case !ok:
		return Other
	case r.plain.style != notPart:
		return Part
	}
	return Segment
}

// Kind returns the kind of the file. It goes by the name, but what is named
// like media and begins as an init segment does (an ftyp box, ISO/IEC
// 14496-12) is Init, since packagers name those freely. Once the upload is
// complete it is Init only if no media data follow.
func (f *File) Kind() Kind {
	if k := f.kind.Load(); k != 0 {
		return Kind(k - 1)
	}
	k := KindOf(f.name)
	if mayBeInit(f.name, k) && f.beginsWithFtyp() {
		return Init
	}
	return k
}

// setKind decides the kind for good.
func (f *File) setKind(k Kind) { f.kind.Store(uint32(k) + 1) }

// mayBeInit says whether the content of a file may make it an init segment
// although its name does not.
func mayBeInit(name string, k Kind) bool {
	return (k == Segment || k == Other) && isMediaExt(strings.ToLower(path.Ext(name)))
}

func (f *File) beginsWithFtyp() bool {
	v := f.view.Load()
	if v.size < 8 || len(v.blocks) == 0 {
		return false
	}
	var first [8]byte
	n := 0
	for _, p := range (View{v}).AppendSlices(nil, 0, 8) {
		n += copy(first[n:], p)
	}
	return string(first[4:8]) == "ftyp"
}

func isMediaExt(ext string) bool {
	switch ext {
	case ".m4s", ".mp4", ".m4v", ".m4a", ".cmfv", ".cmfa", ".cmft", ".cmfm", ".ts",
		".aac", ".ac3", ".mp3", ".webm", ".vtt", ".ttml", ".mkv":
		return true
	}
	return false
}

// hasInitWord finds "init" as a whole run of letters.
func hasInitWord(stem string) bool {
	notLetter := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	for word := range strings.FieldsFuncSeq(stem, notLetter) {
		if strings.EqualFold(word, "init") {
			return true
		}
	}
	return false
}
