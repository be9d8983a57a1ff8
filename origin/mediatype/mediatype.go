// Package mediatype says which media type a file of a streaming origin has.
//
// It promises that a file is called the same wherever it goes: to viewers, and
// to the servers that it is pushed to. What the uploader says counts; where that
// says nothing the extension decides, by a table of its own before the system's,
// as few systems know these types.
package mediatype

import (
	"mime"
	"path"
	"strings"
)

// Unknown is the type of what nothing is known about.
const Unknown = "application/octet-stream"

// types are those of what a streaming origin serves, by extension.
var types = map[string]string{
	".mpd":  "application/dash+xml",
	".m3u8": "application/vnd.apple.mpegurl",
	".m3u":  "application/vnd.apple.mpegurl",
	".m4s":  "video/iso.segment",
	".init": "video/mp4",
	".mp4":  "video/mp4",
	".m4v":  "video/mp4",
	".cmfv": "video/mp4",
	".m4a":  "audio/mp4",
	".cmfa": "audio/mp4",
	".cmft": "application/mp4",
	".cmfm": "application/mp4",
	".ts":   "video/mp2t",
	".aac":  "audio/aac",
	".ac3":  "audio/ac3",
	".mp3":  "audio/mpeg",
	".mkv":  "video/x-matroska",
	".webm": "video/webm",
	".vtt":  "text/vtt; charset=utf-8",
	".ttml": "application/ttml+xml",
	".key":  "application/octet-stream",
	".wasm": "application/wasm",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".xml":  "application/xml",
	".jpg":  "image/jpeg",
	".png":  "image/png",
}

// Of returns the type of a file: the uploader's, else that of the name.
// Uploaders that name no type of their own accord send their HTTP client's
// default, which says nothing.
func Of(name, uploaded string) string {
	switch essence, _, _ := strings.Cut(uploaded, ";"); strings.TrimSpace(strings.ToLower(essence)) {
	case "", Unknown, "application/x-www-form-urlencoded":
		return ByName(name)
	}
	return uploaded
}

// ByName returns the type that the name's extension stands for, or Unknown. The
// number of a part is none: seg12.m4s.3 is of the type of seg12.m4s.
func ByName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if digits := strings.TrimPrefix(ext, "."); digits != "" && strings.Trim(digits, "0123456789") == "" {
		ext = strings.ToLower(path.Ext(strings.TrimSuffix(name, path.Ext(name))))
	}
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return Unknown
}
