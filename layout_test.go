// Package headwater_test holds what is true of the repository as a whole: where
// imports may point, what every package and file has, and what the scripts do.
package headwater_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/headwater-origin/headwater"

// maxLines is the most a file of the program may have.
const maxLines = 300

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath   string
	Dir          string
	Name         string
	Standard     bool
	GoFiles      []string
	CgoFiles     []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

// packages returns all packages of the module.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return list
		case err != nil:
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// mayImport are the folders whose packages, besides those of the folder itself,
// a folder's packages may depend on, in tests or not. A new folder is added
// here with the direction it has.
var mayImport = map[string][]string{
	"cmd":      {"origin", "manifest", "segstore"},
	"origin":   {"manifest", "segstore"},
	"manifest": {},
	"segstore": {},
	"e2e":      {},
	"deploy":   {},
	"":         {},
}

// folder returns the folder below the module's root, "" for the root; ok is
// false for a package of another module.
func folder(importPath string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(importPath, module)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	name, _, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	return name, true
}

func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from, _ := folder(p.ImportPath)
		seen[from] = true
		allowed, ok := mayImport[from]
		if !ok {
			t.Errorf("%s: no folder that layout_test.go knows", p.ImportPath)
		}
		for _, dep := range slices.Concat(p.Deps, p.TestImports, p.XTestImports) {
			if to, ours := folder(dep); ours && to != from && !slices.Contains(allowed, to) {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
	for _, name := range []string{"cmd", "origin", "segstore", "e2e"} {
		if !seen[name] {
			t.Errorf("no package in %s: this test looks in the wrong place", name)
		}
	}
}

// TestSegstoreIsStandardLibraryOnly is about all that segstore is built from;
// its tests may use more.
func TestSegstoreIsStandardLibraryOnly(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./segstore/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	paths := strings.Fields(string(out))
	if len(paths) == 0 {
		t.Error("not even segstore is listed")
	}
	for _, path := range paths {
		if name, ours := folder(path); !ours || name != "segstore" {
			t.Errorf("segstore depends on %s", path)
		}
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	for _, p := range packages(t) {
		files := slices.Concat(p.GoFiles, p.CgoFiles)
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.Dir) + " "
		}
		if len(files) == 0 { // there are tests only
			files = slices.Concat(p.TestGoFiles, p.XTestGoFiles)
			want = "Package "
		}
		if !slices.ContainsFunc(files, func(name string) bool {
			return strings.HasPrefix(packageDoc(t, filepath.Join(p.Dir, name)), want)
		}) {
			t.Errorf("%s: no file has a doc comment that begins with %q", p.ImportPath, want)
		}
	}
}

func packageDoc(t *testing.T, path string) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	if f.Doc == nil {
		return ""
	}
	return docText(f.Doc)
}

// docText leaves out comments that are for tools.
func docText(doc *ast.CommentGroup) string { return strings.TrimSpace(doc.Text()) }

func TestFilesAreShort(t *testing.T) {
	n := 0
	for _, p := range packages(t) {
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if lines := bytes.Count(data, []byte("\n")); lines > maxLines {
				t.Errorf("%s/%s: %d lines, at most %d", p.ImportPath, name, lines, maxLines)
			}
			n++
		}
	}
	if n == 0 {
		t.Error("no files found")
	}
}
