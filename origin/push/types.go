package push

import (
	"mime"
	"path"
	"strings"
)

// mediaTypes are the types of DASH-IF live media ingest and of HLS, by
// extension, for files whose uploader sent none.
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
	".mp3":  "audio/mpeg",
	".webm": "video/webm",
	".vtt":  "text/vtt; charset=utf-8",
	".ttml": "application/ttml+xml",
}

// typeOf returns the type a file is sent with: the uploader's, else that of the
// extension, else "application/octet-stream".
func typeOf(name, uploaded string) string {
	if uploaded != "" {
		return uploaded
	}
	ext := strings.ToLower(path.Ext(name))
	if strings.Trim(ext, ".0123456789") == "" { // a part: seg12.m4s.3
		ext = strings.ToLower(path.Ext(strings.TrimSuffix(name, path.Ext(name))))
	}
	if t := mediaTypes[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}
