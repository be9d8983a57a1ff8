package folder

import (
	"errors"
	"path"
	"strings"

	"github.com/headwater-origin/headwater/segstore"
)

// tempSuffix is what a packager puts behind the name of a file that it renames
// once the file is whole.
const tempSuffix = ".tmp"

var errTempName = errors.New("name ends in .tmp twice")

// way is how a file is written. It indexes what an entry has of both.
type way int

const (
	inPlace way = iota // under its own name
	asTemp             // as NAME.tmp
)

// nameOf returns the name in the store that a path in the folder stands for.
func nameOf(file string) (name string, w way) {
	if name, ok := strings.CutSuffix(file, tempSuffix); ok {
		return name, asTemp
	}
	return file, inPlace
}

// pathOf is the reverse of nameOf.
func pathOf(name string, w way) string {
	if w == asTemp {
		return name + tempSuffix
	}
	return name
}

func hidden(file string) bool { return strings.HasPrefix(path.Base(file), ".") }

// usable returns why no file of the name can be in the store, or nil.
func usable(name string) error {
	if strings.HasSuffix(name, tempSuffix) {
		return errTempName
	}
	return segstore.ValidName(name)
}

func isManifest(name string) bool { return segstore.KindOf(name) == segstore.Manifest }

// isMP4 tells by the extension whether the file should be made of boxes.
func isMP4(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".mp4", ".m4s", ".m4v", ".m4a", ".cmfv", ".cmfa":
		return true
	}
	return false
}

// isTS tells by the extension whether the file should be an MPEG transport stream.
func isTS(name string) bool { return strings.EqualFold(path.Ext(name), ".ts") }

// below reports whether the path lies in the directory; all do in "".
func below(file, dir string) bool {
	return dir == "" || strings.HasPrefix(file, dir+"/")
}
