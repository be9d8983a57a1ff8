package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nginx starts nginx as a WebDAV server on a free port, and returns its URL and
// the directory that it writes to.
func nginx(t *testing.T) (url, dir string) {
	t.Helper()
	need(t, "nginx")
	root := t.TempDir()
	dir = filepath.Join(root, "files")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
  access_log off; client_body_temp_path %[1]s/tmp; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server {
    listen 127.0.0.1:%[2]s;
    location / { root %[1]s/files; dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 50m; }
  }
}
`, root, port)
	file := filepath.Join(root, "nginx.conf")
	writeFile(t, file, []byte(conf))
	start(t, nil, "nginx", "-p", root, "-e", root+"/error.log", "-c", file)
	waitPort(t, port)
	return "http://127.0.0.1:" + port, dir
}

// TestPushMount: a mount's files go on to a second origin and to nginx, while
// they grow; what is deleted here is deleted there.
func TestPushMount(t *testing.T) {
	need(t, "ffmpeg", "ffprobe")
	second := serve(t, "--max-cache-segs", "20")
	third, files := nginx(t)
	first := serve(t, "--push", second.http+"/copy/", "--push", third+"/copy/")
	p := newTee(t, first.addr())
	enc := pushDASH(t, push{seconds: 12}, p.url("/live/manifest.mpd"))
	seg := "/live/chunk-stream0-00003.m4s"
	p.waitGrowing(t, seg, 1)
	if !mustGrow(t, second, "/copy"+seg) {
		t.Error("the segment came to the second origin in one piece")
	}
	if code := enc.wait(t, patience); code != 0 {
		t.Errorf("ffmpeg's exit code is %d", code)
	}
	for _, name := range append(dashNames("/live", 0, 1, 5), dashNames("/live", 1, 1, 5)...) {
		want := p.sent(name)[0].body
		eventually(t, name+" at nginx", func() bool {
			got, err := os.ReadFile(filepath.Join(files, "copy", name))
			return err == nil && bytes.Equal(got, want)
		})
		eventually(t, name+" at the second origin", func() bool { return bytes.Equal(fetch(t, second, "/copy"+name).body, want) })
	}
	manifests := p.sent("/live/manifest.mpd")
	eventually(t, "the last manifest at the second origin", func() bool {
		return bytes.Equal(fetch(t, second, "/copy/live/manifest.mpd").body, manifests[len(manifests)-1].body)
	})
	mustProbe(t, second.http+"/copy/live/manifest.mpd")
}

// mustGrow reads a segment, which it waits for, and tells whether it came in
// pieces, without a length.
func mustGrow(t *testing.T, s *server, path string) bool {
	t.Helper()
	var resp *http.Response
	eventually(t, path+" is there", func() bool {
		var err error
		if resp, err = http.Get(s.http + path); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 200 {
			resp.Body.Close()
		}
		return resp.StatusCode == 200
	})
	defer resp.Body.Close()
	pieces := 0
	for buf := make([]byte, 1<<20); ; pieces++ {
		if _, err := resp.Body.Read(buf); err != nil {
			if err.Error() != "EOF" {
				t.Errorf("%s: %v", path, err)
			}
			break
		}
	}
	return resp.ContentLength < 0 && pieces > 3
}

// TestPushFile sends one file and standard input, and tells by its exit code
// what came of it.
func TestPushFile(t *testing.T) {
	s := serve(t)
	file := filepath.Join(t.TempDir(), "a.bin")
	data := pattern(300_000, 7)
	writeFile(t, file, data)
	if code := start(t, nil, binary, "push", file, s.http+"/in/").wait(t, patience); code != 0 {
		t.Errorf("a file: exit code %d", code)
	}
	if code := start(t, bytes.NewReader(data), binary, "push", "--post", "-", s.http+"/in/b.bin").wait(t, patience); code != 0 {
		t.Errorf("standard input: exit code %d", code)
	}
	for _, name := range []string{"/in/a.bin", "/in/b.bin"} {
		if got := fetch(t, s, name); !bytes.Equal(got.body, data) {
			t.Errorf("%s: status %d, %d bytes", name, got.status, len(got.body))
		}
	}
	readOnly := serve(t, "--rdirs", t.TempDir())
	c := start(t, nil, binary, "push", file, readOnly.http+"/")
	if code := c.wait(t, patience); code != 1 || !strings.Contains(c.err.String(), "405") {
		t.Errorf("refused: exit code %d\n%s", code, c.err)
	}
}
