package listing

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// jsonEntry is an element of the array.
type jsonEntry struct {
	Name    string `json:"name"`
	Type    string `json:"type"`            // "file" or "directory"
	Size    *int64 `json:"size,omitempty"`  // in bytes; of files only
	ModTime string `json:"mtime,omitempty"` // RFC 3339, UTC; not of what grows
	Growing bool   `json:"growing"`
}

// WriteJSON writes the page's entries as an array of objects.
func WriteJSON(w io.Writer, p Page, s Sort) error {
	all := make([]jsonEntry, 0, len(p.Entries))
	for _, e := range s.sorted(p.Entries) {
		j := jsonEntry{Name: e.Name, Type: "directory", Growing: e.Growing}
		if !e.Dir {
			j.Type, j.Size = "file", &e.Size
		}
		if !e.ModTime.IsZero() {
			j.ModTime = e.ModTime.UTC().Format(time.RFC3339Nano)
		}
		all = append(all, j)
	}
	if err := json.NewEncoder(w).Encode(all); err != nil {
		return fmt.Errorf("write listing of %s: %w", p.Path, err)
	}
	return nil
}
