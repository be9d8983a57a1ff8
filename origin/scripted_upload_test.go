package origin

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/headwater-origin/headwater/origin/script"
)

// takes has the script take uploads to /take, refuse those to /no, and leave the
// others alone; /said has what it knows.
const takes = `
let before = httpout.on_request, said = "";
httpout.on_request = (req) => {
  switch (req.url) {
  case "/take":
    let n = 0;
    req.reply = 201;
    req.body = "3145728";
    req.write = (buf) => { if (buf === null) said += "whole " + n + "\n"; else n += buf.byteLength; };
    req.close = (code) => { said += "closed " + code + " after " + n + "\n"; };
    req.send();
    return;
  case "/no": req.reply = 403; req.body = "no"; req.send(); return;
  case "/said": req.reply = 200; req.body = said; req.send(); return;
  }
  if (before) before(req); else req.send();
};`

// TestScriptUpload: what a script takes is counted as any upload, and bounded.
func TestScriptUpload(t *testing.T) {
	s := start(t, withRules(t, takes, ""), withMount(func(m *Mount) { m.MaxUpload = 4 << 20 }))
	m := s.mounts[0].metrics
	if a := s.do("PUT", "/take", strings.Repeat("x", 3<<20)); a.StatusCode != 201 || a.body != "3145728" {
		t.Fatalf("%s %q", a.Status, a.body)
	}
	if got := counterValue(t, m.ingestBytes); got != 3<<20 {
		t.Errorf("%v bytes are counted", got)
	}
	if got := counterValue(t, m.uploadComplete); got != 1 {
		t.Errorf("%v uploads are counted", got)
	}
	c := s.dial()
	c.send("PUT /take HTTP/1.1", "Host: origin", "Content-Length: 99999999", "Expect: 100-continue")
	if resp := c.response("PUT"); resp.StatusCode != 413 {
		t.Errorf("announced too large: %s", resp.Status)
	}
	up := s.upload("/take")
	up.chunk("some text")
	eventually(t, "it is under way", func() bool { return s.Stats().Uploads == 1 })
	_ = up.Close()
	eventually(t, "it is over", func() bool { return s.Stats().Uploads == 0 && counterValue(t, m.uploadFailed) == 1 })
	eventually(t, "the script is told", func() bool {
		said := s.do("GET", "/said", "").body
		return strings.Contains(said, "whole 3145728\nclosed 1 after 3145728\n") && strings.Contains(said, "closed -43 after 9\n")
	})
}

// TestScriptUploadStalls: an upload that stands still is answered so, within a
// mount and outside of all.
func TestScriptUploadStalls(t *testing.T) {
	s := start(t, withRules(t, takes, ""), withMount(func(m *Mount) { m.UploadTimeout = Duration(100 * time.Millisecond) }))
	up := s.upload("/take")
	up.chunk("some text")
	if resp := up.response("PUT"); resp.StatusCode != 408 || !resp.Close {
		t.Error(resp.Status)
	}
	still := &upload{body: iotest.ErrReader(os.ErrDeadlineExceeded), length: -1, setDeadline: func(time.Time) error { return nil }}
	answer := &script.Answer{Write: func(context.Context, []byte) error { return nil }}
	if e := asHTTPError(s.scriptUpload(t.Context(), nil, answer, still)); e.status != 408 || !e.close {
		t.Errorf("outside of all mounts: %d", e.status)
	}
}

// TestScriptRefusesUpload: the body of an upload that the script refuses is not
// taken for the next request, and its sender sees the answer.
func TestScriptRefusesUpload(t *testing.T) {
	s := start(t, withTLS(t), withRules(t, takes, ""))
	c := s.dial()
	body := "GET /said HTTP/1.1\r\nHost: origin\r\n\r\n"
	c.send("PUT /no HTTP/1.1", "Host: origin", "Content-Length: "+strconv.Itoa(len(body)), "", body)
	resp := c.response("PUT")
	if got, err := io.ReadAll(resp.Body); resp.StatusCode != 403 || !resp.Close || string(got) != "no" || err != nil {
		t.Errorf("%s %q, %v", resp.Status, got, err)
	}
	if got := c.rest(); got != "" {
		t.Errorf("behind the reply comes %q", got)
	}
	for proto, client := range s.tlsClients() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URLs()[1]+"/no", io.LimitReader(zeros{}, 8<<20))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", proto, err)
			continue
		}
		if got, err := io.ReadAll(resp.Body); resp.StatusCode != 403 || string(got) != "no" || err != nil {
			t.Errorf("%s: %s %q, %v", proto, resp.Status, got, err)
		}
		_ = resp.Body.Close()
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestScriptLeavesLogs: that there is a script keeps nothing out of the log, and
// what the script does wrong is there once.
func TestScriptLeavesLogs(t *testing.T) {
	log := new(syncBuffer)
	s := startLogging(t, log, withRules(t, rules+takes, ""))
	s.do("PUT", "/stored/", "x")
	if n := atLevel(log, "WARN", "/stored"); n != 1 {
		t.Errorf("a refused upload is in the log %d times:\n%s", n, log)
	}
	s.do("GET", "/throws", "")
	s.do("PUT", "/no-write", "x")
	for path, text := range map[string]string{"/throws": "no_such_function", "/no-write": "needs write"} {
		if n := atLevel(log, "ERROR", ""); n != 2 || atLevel(log, "ERROR", text) != 1 {
			t.Errorf("%s: %d errors are in the log:\n%s", path, n, log)
		}
	}
}
