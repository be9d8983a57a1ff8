package access

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseAccounts reads a users file. An error is a *FileError of this file.
func parseAccounts(file string, data []byte) (*Accounts, error) {
	a := newAccounts()
	if err := a.read(data); err != nil {
		var fe *FileError
		if !errors.As(err, &fe) {
			fe = &FileError{Msg: err.Error()}
		}
		fe.File = file
		return nil, fe
	}
	return a, nil
}

func (a *Accounts) read(data []byte) error {
	file, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		return syntaxError(err)
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil:
			continue // nothing but comments
		case i > 0:
			return wrong(lineOf(doc.Body), "a second document; a users file is one")
		}
		if err := a.readTop(doc.Body); err != nil {
			return err
		}
	}
	return nil
}

func (a *Accounts) readTop(n ast.Node) error {
	return eachKey(n, "the file", func(key string, line int, value ast.Node) error {
		switch key {
		case "users":
			return eachKey(value, key, a.readUser)
		case "groups":
			return eachKey(value, key, a.readGroup)
		}
		return wrong(line, "%s: unknown key; there are users and groups", key)
	})
}

func (a *Accounts) readUser(name string, line int, value ast.Node) error {
	if err := CheckName(name); err != nil {
		return wrong(line, "users: %v", err)
	}
	text, _ := scalarText(value)
	h, err := parseHash(text)
	if err != nil {
		return wrong(line, "users.%s: %v", name, err)
	}
	a.users[name] = h
	return nil
}

// readGroup takes members that are no users: a user that was taken out of the
// file by hand must not make it one that cannot be used, and so stay in force.
func (a *Accounts) readGroup(name string, line int, value ast.Node) error {
	if err := CheckName(name); err != nil {
		return wrong(line, "groups: %v", err)
	}
	if name == Everyone {
		return wrong(line, "groups.%s: every user is in this group; leave it out", name)
	}
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		return wrong(line, "groups.%s: must be a list of users ([] for none)", name)
	}
	members := []string{}
	for _, v := range list.Values {
		user, _ := scalarText(v)
		if err := CheckName(user); err != nil {
			return wrong(lineOf(v), "groups.%s: %v", name, err)
		}
		members = append(members, user)
	}
	slices.Sort(members)
	a.groups[name] = slices.Compact(members)
	return nil
}

// eachKey calls do for what a mapping has; nothing at all is an empty one. The
// parser has refused keys that stand twice in the same form.
func eachKey(n ast.Node, what string, do func(key string, line int, value ast.Node) error) error {
	if _, null := n.(*ast.NullNode); null {
		return nil
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		return wrong(lineOf(n), "%s: must be a mapping (key: value)", what)
	}
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		line := lineOf(it.Key())
		key, ok := scalarText(it.Key())
		if !ok || it.Key().IsMergeKey() {
			return wrong(line, "%s: a key must be a name", what)
		}
		if seen[key] {
			return wrong(line, "%s: %s stands there twice", what, key)
		}
		seen[key] = true
		if err := do(key, line, it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// scalarText returns a value as it stands in the file, so that a user may be
// named 007 or yes.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func lineOf(n ast.Node) int {
	if tok := n.GetToken(); tok != nil && tok.Position != nil {
		return tok.Position.Line
	}
	return 0
}

func syntaxError(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) {
		return wrong(0, "%v", err)
	}
	fe := wrong(0, "%s", ye.GetMessage())
	if tok := ye.GetToken(); tok != nil && tok.Position != nil {
		fe.Line = tok.Position.Line
	}
	return fe
}

// format returns the file's text. Names are quoted, so that none is another
// kind of value to other readers of YAML.
func (a *Accounts) format() []byte {
	var b bytes.Buffer
	b.WriteString("# Written by headwater user and headwater group: comments are not kept.\nusers:\n")
	for _, name := range slices.Sorted(maps.Keys(a.users)) {
		fmt.Fprintf(&b, "  %s: %q\n", strconv.Quote(name), a.users[name].String())
	}
	b.WriteString("groups:\n")
	for _, g := range a.Groups() {
		fmt.Fprintf(&b, "  %s: [", strconv.Quote(g.Name))
		for i, u := range g.Users {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(u))
		}
		b.WriteString("]\n")
	}
	return b.Bytes()
}
