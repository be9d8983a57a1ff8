package script

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestModule(t *testing.T) {
	r := newRig(t, "module.js")
	if a := r.get("/"); a.Reply != 200 || a.Body != `export default 'import z from "z"'12undefined` {
		t.Errorf("%+v", a)
	}
}

// TestBadScripts is what New says of scripts that cannot serve.
func TestBadScripts(t *testing.T) {
	const ok = "\nhttpout.on_request = (req) => req.send();\n"
	for _, c := range []struct{ name, script, want string }{
		{"nothing", "let a = 1;\n", "script.js: the script sets no httpout.on_request"},
		{"not a function", "httpout.on_request = 5;\n", "script.js: the script sets no httpout.on_request"},
		{"set too late", "setTimeout(() => { httpout.on_request = () => 1 }, 0);\n", "the script sets no httpout.on_request"},
		{"syntax", ok + "let = ;\n", "script.js:3:7: SyntaxError: "},
		{"redeclared", ok + "let a; let a;\n", "script.js:3:12: SyntaxError: "},
		{"throws", ok + "nothing.here();\n", "script.js:3:1: ReferenceError: nothing is not defined"},
		{"throws an object", ok + "throw {toString() { for (;;); }};\n", "script.js:3:1: an object that does not say what it is"},
		{"throws lines", ok + "throw 'a\\nb\\u2028c';\n", "script.js:3:1: a b c"},
		{"getter", "Object.defineProperty(httpout, 'on_request', {get() { throw new Error('no') }});\n", "script.js:1:61: Error: no"},
		{"import", "import { Sys as sys } from 'gpaccore'" + ok, `script.js:1:1: import of "gpaccore": a script can import no modules here`},
		{"import second", "'use strict';\n  import * as a\n from\n \"xhr\";" + ok, `script.js:2:3: import of "xhr"`},
		{"import for its effect", "export let a = 1;\nimport './b.js';" + ok, `script.js:2:1: import of "./b.js"`},
		{"export from", "export { a as b } from 'c';" + ok, `script.js:1:1: import of "c"`},
		{"export all", "export * from 'c';" + ok, `script.js:1:1: import of "c"`},
		{"import later", ok + "async function f() { await import('evg'); }\n", `script.js:3:28: import of "evg"`},
		{"import.meta", ok + "print(import.meta.url);\n", "script.js:3:7: SyntaxError: "},
		{"endless", ok + "for (;;);\n", "script.js:2:9: over the bound of 1s"},
		{"endless in jobs", ok + "(async () => { for (;;) await 0; })();\n", "over the bound of 1s"},
		{"deep", ok + "const f = () => f() + 1; f();\n", "RangeError: more than 4096 nested calls"},
		{"too much", ok + "const a = []; for (;;) a.push(new Array(1e4).fill(1));\n", "over the bound of 8192 KiB of memory"},
		{"rejected", ok + "Promise.reject(1);\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &buffer{}
			bound := 20 * time.Second // a loaded machine is slow
			if strings.Contains(c.script, "for (;;)") && !strings.Contains(c.script, "push") {
				bound = time.Second
			}
			e, err := New(Options{Path: scriptFile(t, c.script), Time: bound, Memory: 8 << 20, Log: slog.New(slog.NewTextHandler(log, nil))})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "a line of the log", func() bool { return log.String() != "" })
				if err := e.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if log.lines("level=ERROR", "script.js: 1") == nil {
					t.Errorf("logged: %s", log)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if pids := children(); len(pids) > 0 {
				t.Errorf("processes %v are left", pids)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	if _, err := New(Options{Path: filepath.Join(t.TempDir(), "none.js")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	big := filepath.Join(t.TempDir(), "big.js")
	if err := os.WriteFile(big, make([]byte, maxSource+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Path: big}); err == nil || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("%v", err)
	}
}

// TestReload is a second engine beside the first, as for a changed script.
func TestReload(t *testing.T) {
	one, two := newRig(t, "body.js"), newRig(t, "redirect.js")
	if one.pid() == two.pid() {
		t.Error("one process for both")
	}
	if a := one.get("/old/"); a.Reply != 200 {
		t.Errorf("%+v", a)
	}
	if a := two.get("/old/"); a.Reply != 302 {
		t.Errorf("%+v", a)
	}
}

func TestUnexport(t *testing.T) {
	for _, c := range [][2]string{
		{"export default function a() {}", "               function a() {}"},
		{"export default async function* a() {}", "               async function* a() {}"},
		{"export default class A extends B {}", "               class A extends B {}"},
		{"export default class extends B {}", "void           class extends B {}"},
		{"export default function () {}", "void           function () {}"},
		{"export default 5;", "void           5;"},
		{"export const a = 1;", "       const a = 1;"},
		{"export {\na, b as c };", "        \n             ;"},
	} {
		if got, ok := unexport(c[0]); !ok || strings.TrimRight(got, " ;") != strings.TrimRight(c[1], " ;") {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
	for _, text := range []string{"exports.a = 1", "import.meta", "a"} {
		if got, ok := unexport(text); ok {
			t.Errorf("%q: %q", text, got)
		}
	}
}
