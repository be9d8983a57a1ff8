package script

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
)

// maxExports is the number of export statements a module may have.
const maxExports = 256

// compile compiles a script, or a module that imports nothing. The interpreter
// knows no modules: their exports, which no one would import, are taken out
// where its parser stumbles over them, and an import is an error that names the
// module. An error is one line, with path, line and column.
func compile(path, source string) (*goja.Program, error) {
	source = strings.TrimPrefix(source, "\ufeff")
	strict := strings.HasSuffix(path, ".mjs")
	for range maxExports {
		tree, err := parse(path, source)
		if err == nil {
			return compileTree(path, tree, strict)
		}
		var list parser.ErrorList
		if !errors.As(err, &list) || len(list) == 0 {
			return nil, fmt.Errorf("%s: SyntaxError: %w", path, err)
		}
		first := list[0]
		place := fmt.Sprintf("%s:%d:%d", path, first.Position.Line, first.Position.Column)
		at := offset(source, first.Position.Line, first.Position.Column)
		if name, ok := imported(source[at:]); ok {
			return nil, fmt.Errorf("%s: import of %q: a script can import no modules here", place, name)
		}
		rest, ok := unexport(source[at:])
		if !ok {
			return nil, fmt.Errorf("%s: SyntaxError: %s", place, first.Message)
		}
		source, strict = source[:at]+rest, true
	}
	return nil, fmt.Errorf("%s: a module may have at most %d exports", path, maxExports)
}

// parse parses source without the files a source map would name.
func parse(path, source string) (*ast.Program, error) {
	return parser.ParseFile(nil, path, source, 0, parser.WithDisableSourceMaps)
}

func compileTree(path string, tree *ast.Program, strict bool) (*goja.Program, error) {
	program, err := goja.CompileAST(tree, strict)
	var se *goja.CompilerSyntaxError
	if errors.As(err, &se) && se.File != nil {
		at := se.File.Position(se.Offset)
		return nil, fmt.Errorf("%s:%d:%d: SyntaxError: %s", path, at.Line, at.Column, se.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return program, nil
}

// offset is where in source a line and a column of bytes are, counted from 1.
func offset(source string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(source[at:], '\n')
		if n < 0 {
			return len(source)
		}
		at += n + 1
	}
	return min(at+max(column-1, 0), len(source))
}

var (
	importFrom = regexp.MustCompile(`^import\b\s*\(?(?:[^'"();]*?\bfrom\b)?\s*['"]([^'"\n]*)['"]`)
	exportFrom = regexp.MustCompile(`^export\s*(?:\*|\{[^{}]*\})[^'";]*?\bfrom\s*['"]([^'"\n]*)['"]`)
	exportList = regexp.MustCompile(`^export\s*\{[^{}]*\}`)
	exportElse = regexp.MustCompile(`^export\b(?:\s+default\b)?`)
	namedDecl  = regexp.MustCompile(`^\s*(?:(?:async\s+)?function\b\s*\*?|class\b)\s*([\p{L}_$][\p{L}\p{N}_$]*)`)
)

// imported returns the module a statement at the start of text imports.
func imported(text string) (name string, ok bool) {
	for _, re := range []*regexp.Regexp{importFrom, exportFrom} {
		if m := re.FindStringSubmatch(text); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// unexport takes the export out of a statement at the start of text. What stays
// keeps its place.
func unexport(text string) (string, bool) {
	if all := exportList.FindString(text); all != "" {
		return blank(all) + text[len(all):], true
	}
	word := exportElse.FindString(text)
	if word == "" {
		return "", false
	}
	rest := text[len(word):]
	if strings.HasSuffix(word, "default") && !isNamed(rest) {
		// An expression, which no one is given.
		return "void" + blank(word)[len("void"):] + rest, true
	}
	return blank(word) + rest, true
}

// isNamed says whether text starts with the declaration of a function or class
// that has a name.
func isNamed(text string) bool {
	m := namedDecl.FindStringSubmatch(text)
	return len(m) > 1 && m[1] != "extends"
}

// blank is text with nothing but its line ends.
func blank(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return r
		}
		return ' '
	}, text)
}
