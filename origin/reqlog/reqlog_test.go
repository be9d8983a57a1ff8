package reqlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		spec, starts, ends string
		rec                bool
	}{
		{"", "", "", false},
		{"*", "GET PUT DELETE PATCH", "GET PUT DELETE PATCH", false},
		{"GET,del", "GET DELETE", "GET DELETE", false},
		{"-GET", "GET", "", false},
		{"-*", "GET PUT DELETE PATCH", "", false},
		{"REC", "", "", true},
		{"PUT, REC", "PUT", "PUT", true},
	} {
		f, err := Parse(tt.spec)
		if err != nil {
			t.Errorf("%q: %v", tt.spec, err)
			continue
		}
		for _, m := range []string{"GET", "PUT", "DELETE", "PATCH"} {
			if f.Start(m) != strings.Contains(tt.starts, m) || f.End(m) != strings.Contains(tt.ends, m) || f.Rec() != tt.rec {
				t.Errorf("%q: %s: start %t, end %t, rec %t", tt.spec, m, f.Start(m), f.End(m), f.Rec())
			}
		}
	}
	for _, spec := range []string{"PULL", "GET,", "-", "GET;PUT"} {
		if _, err := Parse(spec); err == nil {
			t.Errorf("%q: no error", spec)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-GET,REC")
	f.Fuzz(func(t *testing.T, spec string) {
		got, err := Parse(spec)
		if err != nil && (got.Start("GET") || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("%q: %v", spec, err)
		}
	})
}

func TestShortLines(t *testing.T) {
	var out bytes.Buffer
	f, err := Parse("GET,REC")
	if err != nil {
		t.Fatal(err)
	}
	l := NewLogger(f, slog.New(slog.NewTextHandler(&out, nil)))
	e := Entry{ID: 7, Peer: "192.0.2.1", Method: "GET", Path: "/a\nlevel=ERROR", Range: "bytes=0-1", Status: 206, Bytes: 250_000, Duration: time.Second}
	l.Start(e)
	l.End(e)
	e.Aborted = true
	l.End(e)
	e.Method = "PUT"
	l.Start(e)
	l.Opened("seg-1.m4s")
	l.Closed("seg-1.m4s", errors.New("broke off"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		`msg="request start" req=7 peer=192.0.2.1 method=GET path="/a\nlevel=ERROR" range="bytes=0-1"`,
		`msg="request done" req=7 method=GET path="/a\nlevel=ERROR" status=206 bytes=250000 ms=1000 rate="2.0 mbps"`,
		`msg="request aborted"`, `msg="opening file" file=seg-1.m4s`, `msg="closing file" file=seg-1.m4s err="broke off"`,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d of\n%s\nhas no %s", i, out.String(), want)
		}
	}
	if len(lines) != 5 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestAccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.json")
	a, err := OpenAccess(file, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.Log(Entry{ID: 1, Time: time.Unix(0, 0), Peer: "192.0.2.1", Method: "GET", Path: "/a\"\n", Status: 200, Bytes: 5, Duration: 1500 * time.Microsecond, UserAgent: "x"})
	for { // all that is queued is written before a reopen
		if len(a.entries) == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	if err := a.Reopen(); err != nil {
		t.Fatal(err)
	}
	a.Log(Entry{ID: 2, Aborted: true})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]any{
		file + ".1": {"req": 1.0, "peer": "192.0.2.1", "path": "/a\"\n", "status": 200.0, "bytes": 5.0, "duration_ms": 1.5, "user_agent": "x"},
		file:        {"req": 2.0, "aborted": true},
	} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %v, want %v", name, k, got[k], v)
			}
		}
		if got["level"] != nil || got["msg"] != nil || bytes.Count(data, []byte("\n")) != 1 {
			t.Errorf("%s", data)
		}
	}
	if a.Lost() != 0 {
		t.Error("lost")
	}
}

func TestAccessCannotOpen(t *testing.T) {
	if _, err := OpenAccess(t.TempDir(), nil, slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), "access log: ") {
		t.Error(err)
	}
}
