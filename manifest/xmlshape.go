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

// checkShape holds that the data is one well-formed element of the name, and no
// more. The MPD library takes that for granted: on some other inputs it never
// returns.
func checkShape(data []byte, root string) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, seen := 0, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !seen {
				return fmt.Errorf("there is no %s element", root)
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 && (seen || t.Name.Local != root) {
				return fmt.Errorf("%s stands where one %s belongs", t.Name.Local, root)
			}
			seen = true
			depth++
			if depth > mostDepth {
				return errors.New("elements stand too deep in one another")
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return fmt.Errorf("text stands outside of %s", root)
			}
		case xml.Directive:
			return errors.New("a document type is not taken")
		}
	}
}
