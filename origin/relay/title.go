package relay

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostTitle bounds a title, in bytes.
const mostTitle = 1000

// SetTitle sets what is playing, until the input begins anew. Control characters
// are left out, and it is cut after 1000 bytes.
func (r *Relay) SetTitle(title string) {
	title = cleanTitle(title)
	r.title.Store(&title)
}

// Title returns what is playing, or "".
func (r *Relay) Title() string { return *r.title.Load() }

func cleanTitle(title string) string {
	title = strings.ToValidUTF8(cutAt(title, mostTitle), "")
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, title))
}

// cutAt returns at most n bytes of text, without half a character at the end.
func cutAt(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// upToZero returns what stands before the first NUL.
func upToZero(text string) string {
	text, _, _ = strings.Cut(text, "\x00")
	return text
}
