package script

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// use asks for all an answer has.
func use(t *testing.T, r *rig, method, url string) error {
	t.Helper()
	a, err := r.Request(t.Context(), Request{Method: method, URL: url})
	if err != nil {
		return err
	}
	if a.Read != nil {
		if _, err = a.Read(t.Context(), make([]byte, 10)); err != nil {
			a.Done(err)
			return err
		}
	}
	if a.Write != nil {
		if err = a.Write(t.Context(), []byte("x")); err != nil {
			a.Done(err)
			return err
		}
	}
	if a.Throttle != nil {
		if _, err = a.Throttle(t.Context(), 1, 2); err != nil {
			a.Done(err)
			return err
		}
	}
	a.Done(nil)
	return nil
}

// TestThrows has each part of a script throw, and run for ever. One line of the
// log says where, and the next request is served by the same process.
func TestThrows(t *testing.T) {
	r := newRig(t, "throws.js", within(500*time.Millisecond))
	pid := r.pid()
	lines := 0
	for _, c := range []struct {
		where string
		told  bool // the request hears of it
	}{
		{"request", true}, {"timer", true}, {"sent", true}, {"jobs", true}, {"read", true}, {"write", true}, {"throttle", true},
		{"late", false}, {"close", false},
	} {
		for _, loop := range []bool{false, true} {
			url, want, place := "/throw-"+c.where, ErrScript, "throws.js:4:9: ReferenceError"
			if loop {
				url, want, place = "/loop-"+c.where, ErrTime, "throws.js:3:30: over the bound of 500ms"
			}
			method := "GET"
			if c.where == "write" {
				method = "PUT"
			}
			if err := use(t, r, method, url); c.told && !errors.Is(err, want) || !c.told && err != nil {
				t.Errorf("%s: %v", url, err)
			}
			lines++
			eventually(t, url+" is logged", func() bool { return len(r.log.lines("level=ERROR")) == lines })
			last := r.log.lines("level=ERROR")[lines-1]
			if !strings.Contains(last, place) && !(loop && strings.Contains(last, "throws.js:3:")) {
				t.Errorf("%s is logged as %s", url, last)
			}
			if c.told && !strings.Contains(last, "url="+url) {
				t.Errorf("%s is logged as %s", url, last)
			}
			if err := use(t, r, "GET", "/fine-other"); err != nil {
				t.Errorf("after %s: %v", url, err)
			}
		}
	}
	if r.pid() != pid {
		t.Error("the process is another one")
	}
}

// TestBuiltinTooLong is a built-in function that no interrupt reaches.
func TestBuiltinTooLong(t *testing.T) {
	r := newRig(t, `const hard = 'a'.repeat(40) + 'b';
	httpout.on_request = (req) => {
		if (req.url === '/hard') /^(a|aa|b\1)+$/.test(hard);
		req.send();
	}
`, within(500*time.Millisecond))
	r.fails("/hard", ErrTime)
	r.get("/fine")
	if got := r.log.lines("process has ended", "over the bound of 500ms in on_request of GET /hard"); len(got) != 1 {
		t.Errorf("%d lines of the end", len(got))
	}
}

// TestMemory exhausts it in several ways. What the script can let go of costs
// the one request; what it keeps, or takes at once, costs the process.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		url  string
		ends bool // the process
	}{{"/push", false}, {"/push-leak", true}, {"/repeat", true}, {"/buffer", true}} {
		t.Run(c.url[1:], func(t *testing.T) {
			r := newRig(t, "memory.js", func(o *Options) { o.Memory = 8 << 20 })
			r.get("/fine")
			pid, p := r.pid(), r.cur
			r.fails(c.url, ErrMemory)
			if a := r.get("/fine"); a.Body != "ok" {
				t.Errorf("%+v", a)
			}
			if ended := r.pid() != pid; ended != c.ends {
				t.Errorf("the process has ended: %v", ended)
			}
			if c.ends {
				checkPeak(t, p)
			}
			if len(r.log.lines("over the bound of 8192 KiB of memory", c.url)) == 0 {
				t.Error("the log does not say which request it was")
			}
			if n := len(r.log.lines("process has ended")); c.ends && n != 1 || !c.ends && n != 0 {
				t.Errorf("%d ends logged", n)
			}
		})
	}
}

// checkPeak holds the most memory a process ever had to far less than its
// script asked for, which was half a gigabyte and more, or all there is.
func checkPeak(t *testing.T, p *process) {
	t.Helper()
	<-p.dead
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || usage.Maxrss == 0 || usage.Maxrss > 256<<10 {
		t.Errorf("the process had %+v", usage)
	}
}

// TestSlowLeak leaks with every request, which are few and short, until the
// script has used up what it may.
func TestSlowLeak(t *testing.T) {
	r := newRig(t, "memory.js", func(o *Options) { o.Memory = 8 << 20 })
	pid := r.pid()
	served := 0
	for r.pid() == pid && served < 100_000 {
		_, err := r.Request(t.Context(), Request{Method: "GET", URL: "/slow"})
		if err == nil {
			served++
		} else if !errors.Is(err, ErrMemory) {
			t.Fatal(err)
		}
	}
	eventually(t, "the end is logged", func() bool { return r.log.lines("process has ended", "over the bound of 8192 KiB") != nil })
	if served < 10 {
		t.Errorf("only %d were served", served)
	}
	r.get("/fine")
}

// TestGarbage is a script that uses much more than it may, bit by bit, and
// keeps none of it.
func TestGarbage(t *testing.T) {
	r := newRig(t, "memory.js", func(o *Options) { o.Memory = 4 << 20 })
	pid := r.pid()
	if a := r.get("/garbage"); a.Body != "ok" {
		t.Errorf("%+v", a)
	}
	if r.pid() != pid {
		t.Error("the process is another one")
	}
}

// TestCrash is a fault of the interpreter's, or of the language's below it,
// which costs the process.
func TestCrash(t *testing.T) {
	for _, c := range []struct{ name, body, want, logged string }{
		{"stack", `JSON.parse('['.repeat(4e5) + ']'.repeat(4e5))`, "stack", "exceeds"},
		{"panic", `const a = new Array(1e4).fill(1); a.sort(() => a.length = 0)`, "script.js: runtime error", "in on_request of GET /crash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, fmt.Sprintf("httpout.on_request = (req) => { if (req.url === '/crash') { %s; }\n req.send(); }\n", c.body))
			_, err := r.Request(t.Context(), Request{Method: "GET", URL: "/crash"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			r.get("/fine")
			if len(r.log.lines("process has ended", c.logged)) != 1 {
				t.Errorf("logged: %s", r.log)
			}
		})
	}
}

// TestWall is the kernel's bound, seen without the watch that comes before it.
func TestWall(t *testing.T) {
	r := newRig(t, "memory.js", func(o *Options) { o.unwatched = true })
	_, err := r.Request(t.Context(), Request{Method: "GET", URL: "/buffer"})
	// The race detector has its own way of saying so.
	if !errors.Is(err, ErrMemory) && (err == nil || !strings.Contains(err.Error(), "failed to allocate")) {
		t.Errorf("%v", err)
	}
	r.get("/fine")
}
