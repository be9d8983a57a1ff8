package origin

import (
	"mime"
	"path"
	"strings"
)

// mediaTypes are the types of what a streaming origin serves, by extension.
// Few systems know them, so the system's table is asked only after this one.
var mediaTypes = map[string]string{
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

const unknownType = "application/octet-stream"

// contentType returns the type a file is served with: the uploader's, else
// that of the extension. Uploaders that name no type of their own accord send
// their HTTP client's default, which says nothing.
func contentType(name, uploaded string) string {
	switch essence, _, _ := strings.Cut(uploaded, ";"); strings.TrimSpace(strings.ToLower(essence)) {
	case "", unknownType, "application/x-www-form-urlencoded":
		return typeByName(name)
	}
	return uploaded
}

func typeByName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if isDigits(strings.TrimPrefix(ext, ".")) { // a part: seg12.m4s.3
		ext = strings.ToLower(path.Ext(strings.TrimSuffix(name, path.Ext(name))))
	}
	if t, ok := mediaTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return unknownType
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
