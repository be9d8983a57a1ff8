package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// makeFile has ffmpeg write a file and returns its path.
func makeFile(t *testing.T, name, args string) string {
	t.Helper()
	need(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), name)
	c := start(t, nil, "ffmpeg", append(strings.Fields("-hide_banner -nostdin -v error "+args), path)...)
	if code := c.wait(t, patience); code != 0 {
		t.Fatalf("making %s: exit code %d", name, code)
	}
	return path
}

func makeMP3(t *testing.T, seconds int) string {
	return makeFile(t, "radio.mp3", "-f lavfi -i sine=frequency=440:sample_rate=44100 -t "+strconv.Itoa(seconds)+" -c:a libmp3lame -b:a 128k -write_xing 0 -id3v2_version 0")
}

// mustDecode has ffmpeg play some seconds of a URL and wants no complaint.
func mustDecode(t *testing.T, url string, seconds int) {
	t.Helper()
	need(t, "ffmpeg")
	c := start(t, nil, "ffmpeg", "-hide_banner", "-nostdin", "-v", "warning", "-i", url, "-t", strconv.Itoa(seconds), "-f", "null", "-")
	if code := c.wait(t, patience); code != 0 || strings.TrimSpace(c.err.String()) != "" {
		t.Errorf("ffmpeg plays %s: exit code %d\n%s", url, code, tail(c.err.String(), 2000))
	}
}

// TestRelayMP3 sends a file in real time to ffmpeg, curl and mpv, which come
// when they like; mpv shows the title that goes with the stream.
func TestRelayMP3(t *testing.T) {
	need(t, "mpv", "curl")
	s := serve(t, "-i", makeMP3(t, 60), "--path", "/live.mp3", "--ice", "--title", "Headwater Radio", "--ice-headers", "ice-Genre,CoolRock")
	url := s.http + "/live.mp3"
	mustDecode(t, url, 2)

	head := start(t, nil, "curl", "-s", "-D", "-", "-o", os.DevNull, "--max-time", "2", "-H", "Icy-MetaData: 1", url)
	if code := head.wait(t, patience); code != 28 { // the time is up: it never ends by itself
		t.Errorf("curl's exit code is %d", code)
	}
	for _, want := range []string{"200 OK", "content-type: audio/mpeg", "icy-name: headwater radio", "icy-pub: 1", "icy-br: 128", "icy-metaint: ", "ice-genre: coolrock", "no-store"} {
		if !strings.Contains(strings.ToLower(head.out.String()), strings.ToLower(want)) {
			t.Errorf("no %q in:\n%s", want, head.out)
		}
	}
	player := start(t, nil, "mpv", "--no-config", "--no-video", "--ao=null", "--length=3", "--msg-level=all=info", url)
	if code := player.wait(t, patience); code != 0 || !strings.Contains(player.out.String(), "Headwater Radio") {
		t.Errorf("mpv: exit code %d\n%s", code, tail(player.out.String()+player.err.String(), 2000))
	}
}

// TestRelayHold: with hold nothing is lost before the first listener comes, and
// with quit the server ends with the stream.
func TestRelayHold(t *testing.T) {
	file := makeMP3(t, 3)
	s := serve(t, "-i", file, "--path", "/live.mp3", "--hold", "--quit")
	resp, err := http.Get(s.http + "/live.mp3")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	want, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || string(got) != string(want) {
		t.Errorf("got %d of %d bytes, %v, %v", len(got), len(want), err, readErr)
	}
	s.ended = true
	if code := s.wait(t, patience); code != 0 {
		t.Errorf("with --quit the exit code is %d", code)
	}
}

// TestRelayTS: ffmpeg writes MPEG-TS to standard input, others come late and
// see no broken picture.
func TestRelayTS(t *testing.T) {
	for name, format := range map[string]string{"ts": "-f mpegts", "fmp4": "-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need(t, "ffmpeg")
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			args := append(source(), append([]string{"-t", "20"}, append(strings.Fields(format), "pipe:1")...)...)
			enc := startTo(t, write, "ffmpeg", args...)
			_ = write.Close()
			s := serveFrom(t, read, "-i", "-", "--path", "/live."+name)
			_ = read.Close()
			for range 3 {
				mustDecode(t, s.http+"/live."+name, 2)
			}
			enc.kill()
		})
	}
}

// TestRelayInputs: the same stream through a FIFO, TCP, UDP, a command, and a
// long upload.
func TestRelayInputs(t *testing.T) {
	need(t, "ffmpeg")
	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(fifo); err != nil {
		t.Fatal(err)
	}
	tcp, udp := freePort(t), freePort(t)
	ts := append(source(), "-t", "15", "-f", "mpegts")
	for _, tt := range []struct{ name, input, to string }{
		{"fifo", "fifo:" + fifo, fifo},
		{"tcp", "tcp://127.0.0.1:" + tcp + "?listen", "tcp://127.0.0.1:" + tcp},
		{"udp", "udp://127.0.0.1:" + udp, "udp://127.0.0.1:" + udp + "?pkt_size=1316"},
		{"command", "exec:ffmpeg " + strings.Join(ts, " ") + " pipe:1", ""},
		{"put", "put", "URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, "-i", tt.input, "--path", "/live.ts")
			switch tt.to {
			case "":
			case "URL":
				start(t, nil, "ffmpeg", append(ts, "-method", "PUT", s.http+"/live.ts")...)
			default:
				start(t, nil, "ffmpeg", append(append([]string{"-y"}, ts...), tt.to)...)
			}
			mustDecode(t, s.http+"/live.ts", 2)
		})
	}
}
