package listing

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headwater-origin/headwater/segstore"
)

var update = flag.Bool("update", false, "write the golden files")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// example has something of everything.
func example() Page {
	return Page{
		Path:       "/live/<b>&\"x\"/",
		Parent:     true,
		Host:       "origin.example:8080",
		ServerName: "Headwater",
		Truncated:  true,
		Entries: []segstore.Entry{
			{Name: "seg-10.m4s", Size: 1234567, ModTime: at("2026-11-23T11:31:30.123456789Z")},
			{Name: "seg-9.m4s", Size: 999, ModTime: at("2026-11-23T12:31:28+01:00")},
			{Name: "seg-11.m4s", Size: 70000, Growing: true},
			{Name: "zoo", Dir: true, ModTime: at("2026-11-22T00:00:00Z")},
			{Name: "a dir #1", Dir: true},
			{Name: "javascript:alert(1)", Size: 1, ModTime: at("2026-11-20T00:00:00Z")},
			{Name: `100% "q" 'p' <i>&amp;?a=b;c+d,é日.txt`, ModTime: at("2026-11-21T00:00:00Z")},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (run with -update if this is right):\n%s", path, d)
	}
}

func TestGolden(t *testing.T) {
	for name, tt := range map[string]struct {
		page Page
		sort Sort
	}{
		"all":   {example(), Sort{}},
		"empty": {Page{Path: "/"}, Sort{By: Time, Desc: true}},
	} {
		var html, asJSON bytes.Buffer
		if err := WriteHTML(&html, tt.page, tt.sort); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&asJSON, tt.page, tt.sort); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".html", html.Bytes())
		golden(t, name+".json", asJSON.Bytes())
	}
}

func TestJSONIsWhatWasGiven(t *testing.T) {
	var out bytes.Buffer
	p := example()
	if err := WriteJSON(&out, p, Sort{}); err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Name    string
		Type    string
		Size    *int64
		ModTime time.Time `json:"mtime"`
		Growing bool
	}
	if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != len(p.Entries) {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	for _, want := range p.Entries {
		found := false
		for _, e := range all {
			if e.Name != want.Name {
				continue
			}
			found = true
			if e.Type == "directory" != want.Dir || (e.Size == nil) != want.Dir || e.Size != nil && *e.Size != want.Size ||
				!e.ModTime.Equal(want.ModTime) || e.Growing != want.Growing {
				t.Errorf("%+v, want %+v", e, want)
			}
		}
		if !found {
			t.Errorf("no %s", want.Name)
		}
	}
}

func TestWriteFails(t *testing.T) {
	for _, write := range []func(*os.File) error{
		func(f *os.File) error { return WriteHTML(f, example(), Sort{}) },
		func(f *os.File) error { return WriteJSON(f, example(), Sort{}) },
	} {
		f, err := os.Open(os.DevNull) // not to be written to
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f); err == nil || !strings.Contains(err.Error(), "/live/") {
			t.Errorf("error %v", err)
		}
		_ = f.Close()
	}
}

func TestReadable(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9949: "9.9 kB", 9950: "10 kB", 12345: "12 kB", 999_499: "999 kB",
		999_500: "1.0 MB", 1_500_000: "1.5 MB", 123_456_789_012: "123 GB", 1<<63 - 1: "9.2 EB",
	} {
		if got := readable(n); got != want {
			t.Errorf("%d bytes are %s, want %s", n, got, want)
		}
	}
}
