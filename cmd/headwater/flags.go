package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/headwater-origin/headwater/origin"
)

const mountGroup = "mount"

var groups = []kong.Group{{
	Key:   mountGroup,
	Title: "The mount (not with --config):",
}}

// given are the flags that stand on the command line, by their names without
// dashes before; the value is the key of the flag's group.
type given map[string]string

func givenFlags(k *kong.Context) given {
	g := given{}
	for _, p := range k.Path {
		if p.Flag == nil {
			continue
		}
		g[p.Flag.Name] = ""
		if p.Flag.Group != nil {
			g[p.Flag.Name] = p.Flag.Group.Key
		}
	}
	return g
}

func (g given) has(name string) bool {
	_, ok := g[name]
	return ok
}

// flagDefaults gives the flags the defaults of origin.DefaultConfig, under the
// names that the keys have in a configuration file.
func flagDefaults() kong.Vars {
	vars := kong.Vars{}
	for _, s := range []any{origin.DefaultConfig(), origin.DefaultMount(), origin.DefaultMount().Relay} {
		v := reflect.ValueOf(s)
		for i := range v.NumField() {
			vars[v.Type().Field(i).Tag.Get("yaml")] = flagText(v.Field(i))
		}
	}
	return vars
}

func flagText(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v.Interface())
}
