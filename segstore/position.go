package segstore

import (
	"path"
	"strconv"
	"strings"
)

// partStyle is how a name says that it is a part of a segment.
type partStyle uint8

const (
	notPart partStyle = iota
	behind            // seg12.m4s.3
	dotted            // fileSequence12.4.m4s
)

// numberMark stands in a track's key where the number stands in its names.
const numberMark = "$Number$"

// maxDigits bounds a number so that it fits a uint64.
const maxDigits = 19

// position is where in a track a name stands.
type position struct {
	track  string // the name with the number replaced by numberMark
	digits string // the number as it is written
	number uint64
	style  partStyle
	part   uint64 // for a part
}

// reading is what a name may mean. Names like v1.12.m4s have two meanings:
// segment 12 of track v1, or part 12 of segment 1.
type reading struct {
	plain     position
	asPart    position // the other meaning
	ambiguous bool
}

// TrackOf returns the track that a segment's name belongs to: the name with
// "$Number$" in place of its growing number, whether that counts or is a time.
// ok is false for names without one. Of an ambiguous name (v1.12.m4s) it
// returns the plain meaning, v1.$Number$.m4s.
func TrackOf(name string) (track string, ok bool) {
	r, ok := readName(name)
	return r.plain.track, ok
}

// readName reads the position out of the name of a segment or a part. The
// growing number is the last run of digits before the extension, and nothing
// but words set off by one of "-_." may stand between.
func readName(name string) (r reading, ok bool) {
	dir, base := path.Split(name)
	ext := path.Ext(base)
	if stem, number, isPart := cutPartBehind(base, ext); isPart {
		r.plain, ok = readSegment(dir, stem)
		r.plain.style, r.plain.part = behind, number
		return r, ok
	}
	if r.plain, ok = readSegment(dir, base); !ok {
		return r, false
	}
	r.asPart, r.ambiguous = readDotted(dir, base, ext)
	return r, true
}

// cutPartBehind takes seg12.m4s.3 apart.
func cutPartBehind(base, ext string) (stem string, number uint64, ok bool) {
	if len(ext) < 2 || !allDigits(ext[1:]) {
		return "", 0, false
	}
	number, ok = parseNumber(ext[1:])
	return base[:len(base)-len(ext)], number, ok
}

func readSegment(dir, base string) (p position, ok bool) {
	ext := path.Ext(base)
	stem := base[:len(base)-len(ext)]
	if !isMediaExt(strings.ToLower(ext)) || hasInitWord(stem) {
		return p, false
	}
	end := strings.LastIndexAny(stem, "0123456789") + 1
	if end == 0 || end < len(stem) && !strings.ContainsRune("-_.", rune(stem[end])) {
		return p, false
	}
	start := digitsBefore(stem, end)
	number, ok := parseNumber(stem[start:end])
	return position{
		track:  dir + stem[:start] + numberMark + base[end:],
		digits: stem[start:end],
		number: number,
	}, ok
}

// readDotted takes fileSequence12.4.m4s apart.
func readDotted(dir, base, ext string) (p position, ok bool) {
	stem := base[:len(base)-len(ext)]
	dot := digitsBefore(stem, len(stem)) - 1
	if dot < 1 || dot == len(stem)-1 || stem[dot] != '.' {
		return p, false
	}
	start := digitsBefore(stem, dot)
	number, ok1 := parseNumber(stem[start:dot])
	part, ok2 := parseNumber(stem[dot+1:])
	if !ok1 || !ok2 {
		return p, false
	}
	return position{
		track:  dir + stem[:start] + numberMark + ext,
		digits: stem[start:dot],
		number: number,
		style:  dotted,
		part:   part,
	}, true
}

// digitsBefore returns where the run of digits that ends at end begins.
func digitsBefore(s string, end int) int {
	for end > 0 && isDigit(s[end-1]) {
		end--
	}
	return end
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func allDigits(s string) bool { return digitsBefore(s, len(s)) == 0 }

func parseNumber(s string) (uint64, bool) {
	if s == "" || len(s) > maxDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}
