package manifest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// mostDepth bounds how deep elements may stand in one another; an MPD needs ten.
const mostDepth = 64

// wellFormed holds that the data is one well-formed element of the name, and no
// more, and returns it as the MPD library can take it: from a > in text, which is
// legal, that one never returns.
func wellFormed(data []byte, root string) ([]byte, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var out []byte // what is changed so far; nil: nothing
	copied := 0    // bytes of data that out stands for
	s := shape{root: root}
	for {
		from := d.InputOffset()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(token)
		}
		if err != nil {
			return nil, err
		}
		raw := data[from:d.InputOffset()]
		if _, text := token.(xml.CharData); text && bytes.IndexByte(raw, '>') >= 0 && !bytes.HasPrefix(raw, []byte("<![CDATA[")) {
			out = append(append(out, data[copied:from]...), bytes.ReplaceAll(raw, []byte(">"), []byte("&gt;"))...)
			copied = int(d.InputOffset())
		}
	}
	if !s.seen {
		return nil, fmt.Errorf("there is no %s element", root)
	}
	if out == nil {
		return data, nil
	}
	return append(out, data[copied:]...), nil
}

// shape follows how elements stand in one another.
type shape struct {
	root  string
	depth int
	seen  bool // the root
}

func (s *shape) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		if s.depth == 0 && (s.seen || t.Name.Local != s.root) {
			return fmt.Errorf("%s stands where one %s belongs", t.Name.Local, s.root)
		}
		s.seen = true
		s.depth++
		if s.depth > mostDepth {
			return errors.New("elements stand too deep in one another")
		}
	case xml.EndElement:
		s.depth--
	case xml.CharData:
		if s.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return fmt.Errorf("text stands outside of %s", s.root)
		}
	case xml.Directive:
		return errors.New("a document type is not taken")
	}
	return nil
}
