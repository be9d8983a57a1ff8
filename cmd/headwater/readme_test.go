package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/headwater-origin/headwater/origin"
)

// TestReadme holds that what the README and HTTPOUT.md tell users to type is
// understood.
func TestReadme(t *testing.T) {
	var data []byte
	for _, name := range []string{"README.md", "HTTPOUT.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, page...)
	}
	files := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(data, -1)
	for _, f := range files {
		if _, err := origin.ParseConfig("README.md", f[1]); err != nil {
			t.Error(err)
		}
	}
	commands := regexp.MustCompile(`(?m)^ +(?:\./)?headwater serve(.*)$`).FindAllStringSubmatch(string(data), -1)
	for _, c := range commands {
		if args := shellWords(c[1]); len(args) == 0 || args[0] != "--config" {
			configOf(t, args...)
		}
	}
	if len(files) == 0 || len(commands) == 0 {
		t.Errorf("%d files and %d commands: this test looks for the wrong thing", len(files), len(commands))
	}
}

// shellWords splits a command line at blanks that do not stand in quotes.
func shellWords(line string) (words []string) {
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(w, `"`))
	}
	return words
}
