package origin

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

func configFields(c *Config) reflect.Value { return reflect.ValueOf(c).Elem() }

// value sets dst from the node that the key has. Which nodes it takes depends
// on dst alone: a text, a bool, an int, a string, a list or a struct.
func (d *configDecoder) value(key string, n ast.Node, dst reflect.Value) error {
	if line := lineOfNode(n); d.lines[key] == 0 {
		d.lines[key] = line
	}
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.DirectiveNode:
		return errorAt(key, n, "anchors, aliases, tags and directives are not supported")
	case *ast.NullNode:
		return errorAt(key, n, "has no value")
	}
	switch dst.Kind() {
	case reflect.Struct:
		if c, ok := dst.Addr().Interface().(*CacheControl); ok {
			if text, scalar := scalarText(n); scalar {
				c.All = text
				return nil
			}
		}
		return d.mapping(key, n, dst)
	case reflect.Slice:
		return d.list(key, n, dst)
	default:
		return setScalar(key, n, dst)
	}
}

// mapping sets the fields of a struct by their yaml tags. The parser has
// refused keys that stand twice.
func (d *configDecoder) mapping(key string, n ast.Node, dst reflect.Value) error {
	m, ok := n.(ast.MapNode)
	if !ok {
		return errorAt(key, n, "must be a mapping (key: value)")
	}
	for it := m.MapRange(); it.Next(); {
		name := it.Key().GetToken().Value
		full := name
		if key != "" {
			full = key + "." + name
		}
		field, ok := fieldByTag(dst, name)
		if !ok || it.Key().IsMergeKey() {
			return errorAt(full, it.Key(), "unknown key")
		}
		d.lines[full] = lineOfNode(it.Key())
		if err := d.value(full, it.Value(), field); err != nil {
			return err
		}
	}
	return nil
}

// list sets a slice; what the slice held before is replaced.
func (d *configDecoder) list(key string, n ast.Node, dst reflect.Value) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return errorAt(key, n, "must be a list (- item, or [item, item])")
	}
	items := reflect.MakeSlice(dst.Type(), len(seq.Values), len(seq.Values))
	for i, v := range seq.Values {
		item := items.Index(i)
		switch v := item.Addr().Interface().(type) {
		case *Mount:
			*v = DefaultMount()
		case *PushTo:
			*v = DefaultPush()
		}
		if err := d.value(fmt.Sprintf("%s[%d]", key, i), v, item); err != nil {
			return err
		}
	}
	dst.Set(items)
	return nil
}

func setScalar(key string, n ast.Node, dst reflect.Value) error {
	text, ok := scalarText(n)
	if !ok {
		return errorAt(key, n, "must be a single value")
	}
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return errorAt(key, n, "%v", err)
		}
		return nil
	}
	switch dst.Kind() {
	case reflect.Bool:
		// Only what YAML 1.2 calls a bool: "yes" and "on" are strings.
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return errorAt(key, n, "%q is neither true nor false", text)
		}
		dst.SetBool(b.Value)
	case reflect.Int:
		i, err := strconv.Atoi(text)
		if err != nil {
			return errorAt(key, n, "%q is not a whole number", text)
		}
		dst.SetInt(int64(i))
	case reflect.String:
		dst.SetString(text)
	default:
		panic("origin: a Config field of kind " + dst.Kind().String())
	}
	return nil
}

// scalarText returns the text of a plain, quoted or block value as it stands in
// the file, so that 010 and 1e3 are not read as other numbers than they look.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func fieldByTag(dst reflect.Value, name string) (reflect.Value, bool) {
	for i := range dst.NumField() {
		if tag := dst.Type().Field(i).Tag.Get("yaml"); tag == name && tag != "-" {
			return dst.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func errorAt(key string, n ast.Node, format string, args ...any) error {
	return &ConfigError{Line: lineOfNode(n), Key: key, Msg: fmt.Sprintf(format, args...)}
}
