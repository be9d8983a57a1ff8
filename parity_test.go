package headwater_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRowOfParityHasItsTest holds that each test that HTTPOUT.md names
// exists, and that each option and mode names one.
func TestEveryRowOfParityHasItsTest(t *testing.T) {
	data, err := os.ReadFile("HTTPOUT.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testNames(t)
	rows := 0
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "httpout" {
			continue
		}
		rows++
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(cells[3], -1)
		if len(named) == 0 {
			t.Errorf("%s: no test", strings.TrimSpace(cells[1]))
		}
		for _, n := range named {
			if !known[n[1]] {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), n[1])
			}
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows: this test reads the wrong thing", rows)
	}
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, p := range packages(t) {
		for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range function.FindAllSubmatch(text, -1) {
				known[string(m[1])] = true
			}
		}
	}
	return known
}
