package origin

import "testing"

func TestContentType(t *testing.T) {
	for _, tc := range []struct{ name, uploaded, want string }{
		// By extension, whatever its case.
		{"live.mpd", "", "application/dash+xml"},
		{"live.MPD", "", "application/dash+xml"},
		{"a/b/live.m3u8", "", "application/vnd.apple.mpegurl"},
		{"seg-1.m4s", "", "video/iso.segment"},
		{"init-stream0.m4s", "", "video/iso.segment"},
		{"a.mp4", "", "video/mp4"},
		{"video.cmfv", "", "video/mp4"},
		{"audio.cmfa", "", "audio/mp4"},
		{"text.cmft", "", "application/mp4"},
		{"meta.cmfm", "", "application/mp4"},
		{"seg1.ts", "", "video/mp2t"},
		{"sub.vtt", "", "text/vtt; charset=utf-8"},
		{"player.js", "", "text/javascript; charset=utf-8"},
		{"codec.wasm", "", "application/wasm"},
		// A part's number is not its extension.
		{"seg12.m4s.3", "", "video/iso.segment"},
		{"seg12.ts.10", "", "video/mp2t"},
		{"fileSequence12.4.m4s", "", "video/iso.segment"},
		// Nothing to go by.
		{"noextension", "", unknownType},
		{"a.unheardof", "", unknownType},
		{"v1.2", "", unknownType},
		{".m4s", "", "video/iso.segment"},
		{"dir.mpd/file", "", unknownType},
		{"", "", unknownType},
		// The uploader knows better, unless it says what HTTP clients say by themselves.
		{"seg-1.m4s", "video/mp4", "video/mp4"},
		{"x", `video/mp4; codecs="avc1.64001f"`, `video/mp4; codecs="avc1.64001f"`},
		{"seg-1.m4s", "application/octet-stream", "video/iso.segment"},
		{"seg-1.m4s", "Application/Octet-Stream; x=y", "video/iso.segment"},
		{"live.mpd", "application/x-www-form-urlencoded", "application/dash+xml"},
		{"live.mpd", " ", "application/dash+xml"},
		{"noextension", "application/octet-stream", unknownType},
	} {
		if got := contentType(tc.name, tc.uploaded); got != tc.want {
			t.Errorf("%q uploaded as %q: %q, want %q", tc.name, tc.uploaded, got, tc.want)
		}
	}
}
