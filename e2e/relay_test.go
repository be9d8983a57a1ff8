package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
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
// when they like; mpv shows the title that goes within the stream, which is not
// the station's name that the header has.
func TestRelayMP3(t *testing.T) {
	need(t, "mpv", "curl")
	file := makeFile(t, "radio.mp3", "-f lavfi -i sine=frequency=440:sample_rate=44100 -t 60 -c:a libmp3lame -b:a 128k -id3v2_version 3 -metadata title=Höhe -metadata artist=Headwater")
	s := serve(t, "-i", file, "--path", "/live.mp3", "--ice", "--title", "Some Radio", "--ice-headers", "ice-Genre,CoolRock", "--metaint", "4096")
	url := s.http + "/live.mp3"
	mustDecode(t, url, 2)

	head := start(t, nil, "curl", "-s", "-i", "--max-time", "2", "-H", "Icy-MetaData: 1", url)
	if code := head.wait(t, patience); code != 28 { // the time is up: it never ends by itself
		t.Errorf("curl's exit code is %d", code)
	}
	headers, stream, _ := strings.Cut(head.out.String(), "\r\n\r\n")
	for _, want := range []string{"200 ok", "content-type: audio/mpeg", "icy-name: some radio", "icy-pub: 1", "icy-br: 128", "icy-metaint: 4096", "ice-genre: coolrock", "no-store", "ice-audio-info: samplerate=44100;channels=1;bitrate=128000"} {
		if !strings.Contains(strings.ToLower(headers), want) {
			t.Errorf("no %q in:\n%s", want, headers)
		}
	}
	if titles, sound := apart(stream, 4096); len(titles) < 2 || titles[0] != "StreamTitle='Headwater - Höhe';" || titles[1] != "" || !strings.HasPrefix(sound, "\xff\xfb") {
		t.Errorf("titles %q, then %.4q", titles, sound)
	} else {
		mustProbeBytes(t, "mp3", sound)
	}
	player := start(t, nil, "mpv", "--no-config", "--no-video", "--ao=null", "--length=3", "--msg-level=all=info", url)
	if code := player.wait(t, patience); code != 0 || !strings.Contains(player.out.String(), "Headwater - Höhe") {
		t.Errorf("mpv: exit code %d, or not the title\n%s", code, tail(player.out.String()+player.err.String(), 2000))
	}
}

// apart takes the titles out of a stream that has one every interval bytes.
func apart(stream string, interval int) (titles []string, sound string) {
	for len(stream) > interval {
		sound += stream[:interval]
		end := interval + 1 + 16*int(stream[interval])
		if end > len(stream) {
			break
		}
		titles = append(titles, strings.TrimRight(stream[interval+1:end], "\x00"))
		stream = stream[end:]
	}
	return titles, sound
}

// mustProbeBytes has ffprobe read bytes that begin where a viewer did, and wants
// no complaint, and a picture that needs no other, or a sound, to come first.
func mustProbeBytes(t *testing.T, what, data string) {
	t.Helper()
	c := start(t, strings.NewReader(data), "ffprobe", "-v", "warning", "-show_entries", "packet=flags,codec_type", "-of", "csv=p=0", "-")
	code := c.wait(t, patience)
	complaint := lastCut.ReplaceAllString(c.err.String(), "")
	if code != 0 || strings.TrimSpace(complaint) != "" {
		t.Errorf("ffprobe reads what came of %s: exit code %d\n%s", what, code, tail(complaint, 1000))
	}
	for _, kind := range []string{"video", "audio"} {
		for line := range strings.Lines(c.out.String()) {
			if strings.HasPrefix(line, kind) {
				if !strings.Contains(line, "K") {
					t.Errorf("%s: the first packet of %s is %s", what, kind, line)
				}
				break
			}
		}
	}
	if n := strings.Count(c.out.String(), "\n"); n < 10 {
		t.Errorf("%s: %d packets\n%s", what, n, c.out)
	}
}

// lastCut is what is said of the last packet of bytes that end anywhere.
var lastCut = regexp.MustCompile(`(?m)^.*(Packet corrupt|Invalid data found|partial file|Estimating duration|truncated|Could not find codec parameters).*$`)

// TestRelayLate: who comes late, while media of any format come in by a pipe,
// begins with whole frames, after the tables or the init segment.
func TestRelayLate(t *testing.T) {
	need(t, "ffmpeg", "ffprobe", "curl")
	for name, c := range map[string]struct {
		format, begins string
		sound          bool
	}{
		"mp3":  {"-c:a libmp3lame -f mp3", "\xff\xfb", true},
		"aac":  {"-c:a aac -f adts", "\xff\xf1", true},
		"ts":   {"-f mpegts", "G@\x00", false}, // the list of programs
		"mp4":  {"-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof", "ftyp", false},
		"cmaf": {"-f mp4 -movflags frag_every_frame+empty_moov+default_base_moof", "ftyp", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			args := source()
			if c.sound {
				args = strings.Fields("-hide_banner -nostdin -v error -re -f lavfi -i sine=frequency=440:sample_rate=44100")
			}
			args = append(append(args, "-t", "30"), strings.Fields(c.format)...)
			enc := startTo(t, write, "ffmpeg", append(args, "pipe:1")...)
			_ = write.Close()
			s := serveFrom(t, read, "-i", "-", "--path", "/live")
			_ = read.Close()
			for i := range 3 {
				late := start(t, nil, "curl", "-s", "-N", "--max-time", "3", s.http+"/live")
				if code := late.wait(t, patience); code != 28 {
					t.Errorf("curl's exit code is %d", code)
				}
				got := late.out.String()
				if i == 0 {
					continue // it may have been there from the beginning
				}
				if at := strings.Index(got, c.begins); at != 0 && (c.begins != "ftyp" || at != 4) {
					t.Errorf("it begins with %.16q", got)
				}
				mustProbeBytes(t, name, got)
			}
			enc.kill()
		})
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
