package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfigBytes caps what LoadConfig reads, far above any real file.
const maxConfigBytes = 1 << 20

// ConfigError is one thing that is wrong with a configuration. Its text is one
// line: file:line, key, and what is wrong, each where it is known.
type ConfigError struct {
	File string // as it was given to LoadConfig or ParseConfig
	Line int    // 1 is the first; 0 means not known
	Key  string // such as mounts[1].max_cache_segs
	Msg  string
}

// Error returns the text, such as
// "headwater.yaml:7: mounts[1].cors: "yes" is none of auto, on, off".
func (e *ConfigError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(oneLine(e.Key) + ": ")
	}
	b.WriteString(oneLine(e.Msg))
	return b.String()
}

// LoadConfig is ParseConfig of a file. An error about what the file says is a
// *ConfigError.
func LoadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	defer func() { _ = f.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	if len(data) > maxConfigBytes {
		return Config{}, &ConfigError{File: path, Msg: fmt.Sprintf("larger than %d bytes", maxConfigBytes)}
	}
	return ParseConfig(path, data)
}

// ParseConfig reads a YAML configuration over DefaultConfig and validates it.
// The name is for errors, which are *ConfigError: the first in the file's order
// where the file is wrong in itself, else the first that Validate finds.
func ParseConfig(name string, data []byte) (Config, error) {
	c := DefaultConfig()
	d := configDecoder{lines: map[string]int{}}
	err := d.decode(data, &c)
	if err == nil {
		err = c.Validate()
	}
	if err == nil {
		return c, nil
	}
	var ce *ConfigError
	if !errors.As(err, &ce) {
		ce = &ConfigError{Msg: err.Error()}
	}
	ce.File = name
	if ce.Line == 0 {
		ce.Line = d.lineOf(ce.Key)
	}
	return Config{}, ce
}

// configDecoder fills a Config from a syntax tree. It is stricter than the YAML
// library's decoder, and finds errors in the order of the file.
type configDecoder struct {
	lines map[string]int // key -> line it stands in
}

func (d *configDecoder) decode(data []byte, c *Config) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return syntaxError(err)
	}
	for i, doc := range file.Docs {
		switch {
		case i > 0 && doc.Body != nil:
			return &ConfigError{Line: lineOfNode(doc.Body), Msg: "a second document; a configuration is one"}
		case doc.Body == nil:
			continue // nothing but comments
		}
		if err := d.value("", doc.Body, configFields(c)); err != nil {
			return err
		}
	}
	if len(c.ListenTLS) > 0 && d.lines["listen"] == 0 {
		c.Listen = nil
	}
	return nil
}

// lineOf returns the line of the key, or of what it stands in, or 0.
func (d *configDecoder) lineOf(key string) int {
	for key != "" {
		if line := d.lines[key]; line > 0 {
			return line
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return 0
}

// syntaxError turns the library's error, which shows the source on several
// lines, into one line.
func syntaxError(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) {
		return &ConfigError{Msg: err.Error()}
	}
	ce := &ConfigError{Msg: ye.GetMessage()}
	if tok := ye.GetToken(); tok != nil && tok.Position != nil {
		ce.Line = tok.Position.Line
	}
	return ce
}

func lineOfNode(n ast.Node) int {
	if tok := n.GetToken(); tok != nil && tok.Position != nil {
		return tok.Position.Line
	}
	return 0
}

// oneLine joins the lines of s and puts ? for what cannot be seen in a terminal,
// or would do something there.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
