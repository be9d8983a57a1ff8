package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// script is a command that runs a shell script, whose $1 is a named pipe and $2
// a directory. The pipe has the script, and what it starts, as its writers.
type script struct {
	life *reading
	dir  string
	argv []string
}

func newScript(t *testing.T, text string) *script {
	t.Helper()
	pipe := aPipe(t)
	s := &script{life: reader(t, pipe), dir: t.TempDir()}
	s.argv = []string{"sh", "-c", "exec 9>\"$1\"\n" + text, "sh", pipe, s.dir}
	return s
}

func (s *script) path(name string) string { return filepath.Join(s.dir, name) }

// quick are spans that a test waits for.
func quick() times {
	d := defaultTimes()
	d.grace, d.end = short, short
	return d
}

// TestExec: a command gets the upload as it comes, and its end.
func TestExec(t *testing.T) {
	s := newScript(t, `head -c 3 >&9; cat > "$2/got"; echo whole >&9`)
	o, log := open(t, Options{Exec: s.argv})
	k := take(t, o, upload("a.ts"))
	k.write("one")
	s.life.until("one") // while it is being uploaded
	k.write(strings.Repeat("x", 300_000))
	wantNil(t, k.ends(nil))
	if s.life.end() != "onewhole\n" || len(content(t, s.path("got"))) != 300_000 {
		t.Errorf("the command got %q and %d bytes", s.life.text.String(), len(content(t, s.path("got"))))
	}
	if got := o.Stats(); got != (Stats{Taken: 1, Bytes: 300_003}) {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(log.String(), `status="exit status 0"`) {
		t.Errorf("the log lacks the status:\n%s", log)
	}
}

// TestExecIsTold: what the command gets to know of an upload, in its arguments and
// its environment, and nothing of it through a shell.
func TestExecIsTold(t *testing.T) {
	const tell = `printf '%s|' "$@" "$HEADWATER_NAME" "$HEADWATER_EXT" "$HEADWATER_TYPE" "$HEADWATER_LENGTH" "$HEADWATER_PEER" >&9; cat >/dev/null`
	for name, c := range map[string]struct {
		opt  Options
		u    Upload
		args []string
		want string
	}{
		"as it is": {Options{}, Upload{Name: "live/a.ts", Length: -1, Peer: "::1"}, []string{"{name}", "x{ext}", "--type={type}", "{}"},
			"live/a.ts|xts|--type=video/mp2t|{}|live/a.ts|ts|video/mp2t||::1|"},
		"overridden": {Options{Ext: ".mp4", MIME: "video/mp4"}, Upload{Name: "live/a.ts", ContentType: "video/x", Length: 2}, []string{"{name}"},
			"live/a.mp4|live/a.mp4|mp4|video/mp4|2||"},
		"no shell": {Options{}, Upload{Name: "$(exit 1) `x`;\"{ext}.a b", ContentType: "a/b", Length: -1}, []string{"{name}"},
			"$(exit 1) `x`;\"{ext}.a b|$(exit 1) `x`;\"{ext}.a b|a b|a/b|||"},
		"no extension": {Options{Ext: "ts"}, Upload{Name: ".live", ContentType: "a\nb", Length: -1}, []string{"{name}"},
			".live.ts|.live.ts|ts|application/octet-stream|||"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, `shift 2; `+tell)
			c.opt.Exec = slices.Concat(s.argv, c.args)
			o, _ := open(t, c.opt)
			wantNil(t, o.Take(t.Context(), c.u, strings.NewReader("12")))
			if got := s.life.end(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestNamesThatAreRefused: no name makes an option, and none leads elsewhere.
func TestNamesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, opt := range map[string]Options{
		"-rf":      {Exec: []string{"touch", dir + "/x", "{name}"}},
		"a.-rf":    {Exec: []string{"touch", dir + "/x", "{ext}"}},
		"../x":     {File: dir + "/"},
		"/x":       {File: dir + "/"},
		"":         {File: dir + "/"},
		"x.part":   {File: dir + "/"},
		"a//b":     {Stdout: os.Stdout},
		"line\nis": {Exec: []string{"touch", dir + "/x"}},
	} {
		o, _ := open(t, opt)
		if err := o.Take(t.Context(), upload(name), strings.NewReader("x")); !errors.Is(err, ErrName) || errors.As(err, new(*OutputError)) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}

// TestExecEnds: how a command may end, and what Take makes of it.
func TestExecEnds(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		open   bool // the upload has not ended
		want   string
	}{
		"badly":          {"cat >/dev/null; exit 3", false, "exit status 3"},
		"early":          {"head -c 1 >/dev/null", true, "ended before the upload"},
		"early, badly":   {"head -c 1 >/dev/null; exit 4", true, "exit status 4"},
		"early, by kill": {"head -c 1 >/dev/null; kill -9 $$", true, "signal: killed"},
		"not at all":     {"cat >/dev/null; sleep 1000", false, "still running"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, "echo >&9; "+c.script)
			o, log := open(t, Options{Exec: s.argv, times: quick()})
			k := take(t, o, upload("a.ts"))
			k.write("x")
			var err error
			if c.open {
				err = k.result() // though the sender keeps quiet
			} else {
				err = k.ends(nil)
			}
			wantOutput(t, err, c.want)
			s.life.end()
			if got := o.Stats(); got.Failed != 1 {
				t.Errorf("%+v", got)
			}
			if !strings.Contains(log.String(), "level=WARN") {
				t.Errorf("no warning in the log:\n%s", log)
			}
		})
	}
}

// plainBody hides that a body can be interrupted.
type plainBody struct{ r *body }

func (b plainBody) Read(p []byte) (int, error) { return b.r.Read(p) }

// TestBodyThatCannotBeInterrupted: Take waits for its Read.
func TestBodyThatCannotBeInterrupted(t *testing.T) {
	o, _ := open(t, Options{Exec: []string{"false"}})
	b, result := newBody(), make(chan error, 1)
	go func() { result <- o.Take(context.Background(), upload("a"), plainBody{b}) }()
	eventually(t, "the command's end", func() bool { _, err := b.Write([]byte("x")); return err == nil })
	_ = b.Close()
	wantOutput(t, <-result, "exit status 1")
}

// TestExecIsTooSlow: a command that reads nothing is cut, and with BlockIO waited
// for.
func TestExecIsTooSlow(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	t.Run("cut", func(t *testing.T) {
		s := newScript(t, "echo >&9; sleep 1000")
		o, _ := open(t, Options{Exec: s.argv, Timeout: short, times: quick()})
		wantOutput(t, o.Take(t.Context(), upload("a"), strings.NewReader(big)), "took nothing for 100ms")
		s.life.end()
	})
	t.Run("slow but moving", func(t *testing.T) {
		// The second 64 KiB, which is one Write, take longer than the Timeout.
		o, _ := open(t, Options{Exec: []string{"sh", "-c", "for i in 1 2 3 4 5 6 7 8; do head -c 8192 >/dev/null; sleep 0.3; done; cat >/dev/null"}, Timeout: 20 * short})
		wantNil(t, o.Take(t.Context(), upload("a"), strings.NewReader(big)))
	})
	t.Run("blockio", func(t *testing.T) {
		gate := aPipe(t)
		s := newScript(t, `echo ready >&9; read x < "$3"; cat >/dev/null`)
		o, _ := open(t, Options{Exec: append(s.argv, gate), Timeout: short, BlockIO: true})
		result := make(chan error, 1)
		go func() { result <- o.Take(context.Background(), upload("a"), strings.NewReader(big)) }()
		s.life.until("ready\n")
		select {
		case err := <-result:
			t.Fatalf("cut all the same: %v", err)
		case <-time.After(5 * short):
		}
		wantNil(t, os.WriteFile(gate, []byte("go\n"), 0))
		wantNil(t, <-result)
	})
}

// TestExecIsDeaf: a command that closes its input is ended.
func TestExecIsDeaf(t *testing.T) {
	s := newScript(t, "exec 0<&-; echo deaf >&9; sleep 1000")
	o, _ := open(t, Options{Exec: s.argv, times: quick()})
	k := take(t, o, upload("a"))
	s.life.until("deaf\n")
	k.write("x")
	wantOutput(t, k.result(), "reads no more")
	s.life.end()
}

// TestExecAbort: the command and what it started are told of an upload that broke
// off while its input is open, and are gone when Take returns.
func TestExecAbort(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
	}{
		// The child reads the input, and would write if that ended.
		"told":              {`exec 3<&0; (cat <&3 >/dev/null; echo whole >&9) & trap 'echo told >&9; exit 1' TERM; echo ready >&9; wait; wait`, "ready\ntold\n"},
		"told, all of them": {`trap : TERM; (trap 'echo told >&9; exit' TERM; echo ready >&9; sleep 1000 & wait) & wait; wait`, "ready\ntold\n"},
		"deaf to SIGTERM":   {`trap '' TERM; echo ready >&9; cat >/dev/null; echo whole >&9`, "ready\n"},
		"grandchildren":     {`sh -c 'trap "" TERM; sleep 1000 & echo ready >&9; wait' & cat >/dev/null; wait`, "ready\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, c.script)
			o, log := open(t, Options{Exec: s.argv, times: quick()})
			k := take(t, o, upload("a"))
			k.write("half")
			s.life.until("ready\n")
			wantBody(t, k.ends(errBody), errBody)
			if got := s.life.end(); got != c.want {
				t.Errorf("the command wrote %q, want %q", got, c.want)
			}
			if got := o.Stats(); got.Aborted != 1 {
				t.Errorf("%+v", got)
			}
			if !strings.Contains(log.String(), "broke off") {
				t.Errorf("the log does not tell:\n%s", log)
			}
		})
	}
}

// TestLeftBehind: what a command leaves in its process group ends with it.
func TestLeftBehind(t *testing.T) {
	s := newScript(t, `sleep 1000 & echo ready >&9; cat >/dev/null`)
	o, _ := open(t, Options{Exec: s.argv})
	k := take(t, o, upload("a"))
	s.life.until("ready\n")
	wantNil(t, k.ends(nil))
	s.life.end()
}

// TestExecClose: Close ends commands at each stage; without time it kills them.
func TestExecClose(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		whole  bool
		none   bool // no time
	}{
		"uploading": {`echo ready >&9; cat >/dev/null`, false, false},
		"ending":    {`cat >/dev/null; echo ready >&9; sleep 1000`, true, false},
		"no time":   {`trap '' TERM; echo ready >&9; cat >/dev/null; sleep 1000`, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, c.script)
			times := defaultTimes()
			if c.none {
				times.grace = bound // which Close must not wait for
			}
			o, _ := open(t, Options{Exec: s.argv, BlockIO: true, times: times})
			k := take(t, o, upload("a"))
			k.write("x")
			if c.whole {
				_ = k.body.Close()
			}
			s.life.until("ready\n")
			ctx, cancel := context.WithTimeout(t.Context(), bound)
			if c.none {
				cancel()
			}
			defer cancel()
			start := time.Now()
			if err := o.Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
			if c.none && time.Since(start) > bound/2 {
				t.Error("Close waited for the grace")
			}
			if err := k.result(); !errors.Is(err, ErrClosed) {
				t.Errorf("Take: %v", err)
			}
			s.life.end()
			if err := o.Take(t.Context(), upload("b"), strings.NewReader("")); !errors.Is(err, ErrClosed) {
				t.Errorf("Take after Close: %v", err)
			}
		})
	}
}

// TestCommandSays: what a command prints is logged by lines of bounded length.
func TestCommandSays(t *testing.T) {
	o, log := open(t, Options{Exec: []string{"sh", "-c",
		"cat >/dev/null; echo to out; echo to err >&2; head -c 5000 /dev/zero | tr '\\0' x; echo; printf 'not ended'"}})
	wantNil(t, o.Take(t.Context(), upload("a"), strings.NewReader("")))
	for _, want := range []string{`line="to out"`, `line="to err"`, "line=" + strings.Repeat("x", mostLine) + "\n", `line="not ended"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %.50s", want)
		}
	}
}
