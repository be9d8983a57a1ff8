package origin

import (
	"errors"
	"strings"
	"testing"
	"unicode"
)

// FuzzParseConfig holds that whatever a file says, the answer is a valid Config
// or one line that begins with the file's name.
func FuzzParseConfig(f *testing.F) {
	for _, tt := range configErrors {
		f.Add([]byte(tt.yaml))
	}
	f.Add([]byte("listen: [':80']\nmounts:\n  - {path: /live, write: true, maxs: 50M}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return // the YAML parser takes quadratic time for deep nesting
		}
		c, err := ParseConfig("f.yaml", data)
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Fatalf("parsed, but not valid: %v", err)
			}
			return
		}
		var ce *ConfigError
		if !errors.As(err, &ce) {
			t.Fatalf("a %T: %v", err, err)
		}
		text := err.Error()
		if !strings.HasPrefix(text, "f.yaml:") || strings.ContainsFunc(text, unicode.IsControl) {
			t.Fatalf("not one clear line: %q", text)
		}
	})
}
