package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRedirect(t *testing.T) {
	r := newRig(t, "redirect.js")
	a := r.get("/old/a.mpd")
	want := &Answer{Reply: 302, Headers: []Header{{"Location", "https://new.example/a.mpd"}}}
	if diff := cmp.Diff(want, a, cmp.AllowUnexported(Answer{})); diff != "" {
		t.Error(diff)
	}
	if a = r.get("/new/a.mpd"); a.Reply != 0 || a.HasBody || a.Headers != nil {
		t.Errorf("as usual: %+v", a)
	}
	a.Done(nil) // without a callback it is nothing
	r.fails("/old/\r\nSet-Cookie: a=b", ErrScript)
}

func TestBody(t *testing.T) {
	r := newRig(t, "body.js")
	for i := range 3 {
		a := r.send(Request{Method: "GET", URL: "/é", Headers: []Header{{"Host", "a"}, {"X", "\xff"}}})
		if a.Reply != 200 || !a.HasBody || a.Headers[0] != (Header{"Content-Type", "application/json"}) {
			t.Fatalf("%+v", a)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"served": float64(i + 1), "url": "/é", "what": "ü€𝄞", "headers": []any{
			map[string]any{"name": "Host", "value": "a"}, map[string]any{"name": "X", "value": "\ufffd"}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if a := r.send(Request{Method: "PUT", URL: "/"}); a.Reply != 405 || a.HasBody {
		t.Errorf("PUT: %+v", a)
	}
}

// TestRequestObject shows all of req as a script sees it.
func TestRequestObject(t *testing.T) {
	r := newRig(t, `httpout.on_request = function(req) {
		if (this !== httpout || req.body !== undefined || req.read !== undefined) throw new Error('no');
		req.reply = 200; req.body = JSON.stringify(req); req.send();
	}
`)
	a := r.send(Request{Method: "GET", URL: "/a?b=c", AuthCode: 401, TLS: true, NetID: 1 << 40, IP: "::1", Port: 65535,
		Headers: []Header{{"Accept", "*/*"}}})
	want := `{"method":"GET","url":"/a?b=c","auth_code":401,"headers_in":[{"name":"Accept","value":"*/*"}],` +
		`"headers_out":[],"reply":200,"tls":true,"netid":1099511627776,"IP":"::1","port":65535,"body":"…"}`
	want = strings.Replace(want, `,"body":"…"`, "", 1)
	if a.Body != want {
		t.Errorf("req is %s, want %s", a.Body, want)
	}
}

func TestDocumentedExample(t *testing.T) {
	r := newRig(t, "inject.js")
	a := r.get("/x")
	if a.Reply != 0 || a.HasBody || a.Headers[0] != (Header{"x-gpac", "foo"}) || a.Read != nil || a.Write != nil {
		t.Fatalf("%+v", a)
	}
	if d, err := a.Throttle(t.Context(), 0, -1); d != 100*time.Microsecond || err != nil {
		t.Errorf("throttle: %v, %v", d, err)
	}
	a.Done(nil)
	a.Done(errors.New("again"))
	eventually(t, "close", func() bool { return r.printed.lines("closed with code 1") != nil })
	if _, err := a.Throttle(t.Context(), 0, 1); !errors.Is(err, errOver) {
		t.Errorf("throttle after the end: %v", err)
	}
	if n := len(r.printed.lines("closed")); n != 1 {
		t.Errorf("closed %d times", n)
	}
	if r.printed.lines(`Got request {"method":"GET","url":"/x"`) == nil {
		t.Error("the request was not printed")
	}
}

func TestLocalFile(t *testing.T) {
	r := newRig(t, "file.js")
	if a := r.send(Request{Method: "GET", URL: "/a", AuthCode: 200}); a.Reply != 0 || !a.HasBody || a.Body != "/srv/vod/a" {
		t.Errorf("%+v", a)
	}
	if a := r.send(Request{Method: "GET", URL: "/a", AuthCode: 403}); a.Reply != 403 || a.HasBody {
		t.Errorf("%+v", a)
	}
}

func TestSendLater(t *testing.T) {
	r := newRig(t, "later.js")
	if a := r.get("/"); a.Body != "later" {
		t.Errorf("%+v", a)
	}
	if r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

func TestAsync(t *testing.T) {
	r := newRig(t, "async.js")
	if a := r.get("/fine"); a.Body != "/fine" {
		t.Errorf("%+v", a)
	}
	r.fails("/fails", ErrScript)
	if got := r.log.lines("async.js:5:", "TypeError", "/fails"); len(got) != 1 {
		t.Errorf("%d lines of the failure", len(got))
	}
}

func TestRead(t *testing.T) {
	r := newRig(t, "read.js")
	a := r.get("/")
	got, err := readAll(t, a)
	if want := "part 0 of 1000;part 1 of 1000;part 2 of 1000;part 3 of 1000;part 4 of 1000;"; got != want || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	a.Done(nil)
	eventually(t, "close", func() bool { return r.printed.lines("closed 1 after 15") != nil })
	if a := r.send(Request{Method: "HEAD", URL: "/"}); a.Read != nil {
		t.Error("HEAD has a read")
	}
}

// TestReadSizes holds the buffer to 64 KiB, and what read gives to the buffer.
func TestReadSizes(t *testing.T) {
	r := newRig(t, `httpout.on_request = (req) => {
		req.reply = 200;
		req.read = (b) => {
			if (req.url === '/keep') return b.byteLength;
			const v = new Uint8Array(b);
			for (let i = 0; i < v.length; i++) v[i] = 7;
			return {'/all': b.byteLength, '/more': b.byteLength + 1, '/promise': Promise.resolve(1), '/none': undefined}[req.url];
		};
		req.send();
	}
`)
	p := make([]byte, 100_000)
	if n, err := r.get("/all").Read(t.Context(), p); n != 65536 || err != nil || !bytes.Equal(p[:n], bytes.Repeat([]byte{7}, n)) {
		t.Errorf("%d bytes, %v", n, err)
	}
	// What another request had in the buffer is not sent by a script that forgets to fill it.
	if n, err := r.get("/keep").Read(t.Context(), p); n != 65536 || err != nil || !bytes.Equal(p[:n], make([]byte, n)) {
		t.Errorf("%d bytes, %v", n, err)
	}
	for _, url := range []string{"/more", "/promise"} {
		if n, err := r.get(url).Read(t.Context(), p); n != 0 || !errors.Is(err, ErrScript) {
			t.Errorf("%s: %d bytes, %v", url, n, err)
		}
	}
	if got, err := readAll(t, r.get("/none")); got != "" || err != nil {
		t.Errorf("undefined: %q, %v", got, err)
	}
	if n, err := r.get("/all").Read(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("no buffer: %d, %v", n, err)
	}
}

// TestReadWaits ends a read that has nothing with its context, and with Done.
func TestReadWaits(t *testing.T) {
	r := newRig(t, `httpout.on_request = (req) => {
		req.reply = 200; req.read = () => -1; req.close = (c) => print('closed ' + c); req.send();
	}
`)
	for _, done := range []bool{false, true} {
		a := r.get("/")
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error)
		go func() {
			_, err := a.Read(ctx, make([]byte, 10))
			got <- err
		}()
		want := context.Canceled
		if done {
			a.Done(errors.New("reset"))
			want = errOver
		} else {
			cancel()
		}
		if err := <-got; !errors.Is(err, want) {
			t.Errorf("done %v: %v", done, err)
		}
		cancel()
		a.Done(context.Canceled)
	}
	eventually(t, "both closed", func() bool {
		return r.printed.lines("closed -43") != nil && r.printed.lines("closed -13") != nil
	})
}

func TestWrite(t *testing.T) {
	r := newRig(t, "write.js")
	for _, method := range []string{"PUT", "POST"} {
		a := r.send(Request{Method: method, URL: "/up"})
		if a.Reply != 201 || a.Write == nil || a.Read != nil {
			t.Fatalf("%+v", a)
		}
		p := bytes.Repeat([]byte{1, 2, 255}, 50_000)
		for _, part := range [][]byte{p, p[:1], nil} {
			if err := a.Write(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		a.Done(nil)
	}
	eventually(t, "both counted", func() bool { return len(r.printed.lines("150001 bytes in 4 parts, sum 12900001")) == 2 })
	eventually(t, "both closed", func() bool { return len(r.printed.lines("closed 1")) == 2 })
}

func TestThrottle(t *testing.T) {
	r := newRig(t, "throttle.js")
	a := r.get("/")
	for _, c := range []struct {
		done, total int64
		want        time.Duration
	}{{0, 5, 0}, {1000, -1, time.Millisecond}, {1000, 500, 1500 * time.Microsecond}, {1 << 20, 1 << 40, 0x100000 * time.Microsecond}} {
		if got, err := a.Throttle(t.Context(), c.done, c.total); got != c.want || err != nil {
			t.Errorf("%d of %d: %v, %v, want %v", c.done, c.total, got, err, c.want)
		}
	}
	a.Done(nil)
}

// TestRefused is what a script may not do at send(), and that it is told.
func TestRefused(t *testing.T) {
	r := newRig(t, `httpout.on_request = (req) => {
		const u = req.url;
		if (u === '/twice') { req.send(); req.send(); }
		if (u === '/twice-caught') { req.reply = 204; req.send(); try { req.send(); } catch (e) { print(e); } return; }
		if (u === '/retry') { req.reply = 7; try { req.send(); } catch (e) { print(e); req.reply = 200; } }
		if (u === '/reply') req.reply = 99;
		if (u === '/name') req.headers_out.push({name: 'a b', value: ''});
		if (u === '/value') req.headers_out.push({name: 'a', value: 'x\ny'});
		if (u === '/missing') req.headers_out.push({name: 'a'});
		if (u === '/no-object') req.headers_out.push('a: b');
		if (u === '/body') { req.reply = 200; req.body = 'x'.repeat((16 << 20) + 1); }
		if (u === '/headers') { for (let i = 0; i < 200; i++) req.headers_out.push({name: 'a', value: 'x'.repeat(10000)}); }
		if (u === '/put') req.reply = 200;
		if (u === '/put-error') { req.reply = 403; req.body = 'no'; }
		if (u === '/unset') { req.headers_out = null; req.reply = undefined; req.body = 5; }
		req.send();
	}
`)
	for _, url := range []string{"/twice", "/reply", "/name", "/value", "/missing", "/no-object", "/body", "/headers"} {
		r.fails(url, ErrScript)
		if got := r.log.lines("script.js:", "url="+url+" "); len(got) != 1 {
			t.Errorf("%s: %d lines in the log", url, len(got))
		}
	}
	if _, err := r.Request(t.Context(), Request{Method: "PUT", URL: "/put"}); !errors.Is(err, ErrScript) || !strings.Contains(err.Error(), "write") {
		t.Errorf("PUT without write: %v", err)
	}
	if a := r.send(Request{Method: "PUT", URL: "/put-error"}); a.Reply != 403 || a.Body != "no" {
		t.Errorf("%+v", a)
	}
	if a := r.get("/twice-caught"); a.Reply != 204 {
		t.Errorf("%+v", a)
	}
	if a := r.get("/retry"); a.Reply != 200 {
		t.Errorf("%+v", a)
	}
	if a := r.get("/unset"); a.Reply != 0 || a.HasBody || a.Headers != nil {
		t.Errorf("%+v", a)
	}
	eventually(t, "both printed", func() bool {
		return r.printed.lines("TypeError: send() called a second time") != nil && r.printed.lines("RangeError: 7 is no reply") != nil
	})
}

// TestClientGone ends requests before their send().
func TestClientGone(t *testing.T) {
	r := newRig(t, `const all = [];
	httpout.on_request = (req) => {
		if (req.url === '/now') { for (const one of all) { one.reply = 200; one.send(); one.send(); } req.send(); return; }
		req.close = (code) => print('closed', code);
		all.push(req);
		print('got', req.url);
	}
`)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error)
	go func() {
		_, err := r.Request(ctx, Request{Method: "GET", URL: "/wait"})
		got <- err
	}()
	eventually(t, "the script has the request", func() bool { return r.printed.lines("got /wait") != nil })
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	eventually(t, "close", func() bool { return r.printed.lines("closed -43") != nil })
	r.get("/now") // sends the other, harmlessly
	if r.log.String() != "" {
		t.Errorf("logged: %s", r.log)
	}
}

func TestNoSend(t *testing.T) {
	r := newRig(t, `httpout.on_request = (req) => { req.close = (c) => print('closed', c); }
`, func(o *Options) { o.Wait = 50 * time.Millisecond })
	r.fails("/", ErrTime)
	eventually(t, "close", func() bool { return r.printed.lines("closed -13") != nil })
	if len(r.log.lines("no send() within 50ms", "url=/")) != 1 {
		t.Error("not logged")
	}
}

func TestBusy(t *testing.T) {
	r := newRig(t, `let first;
	httpout.on_request = (req) => {
		if (req.url === '/first') { first = req; print('waits'); return; }
		req.send(); first.send();
	}
`, func(o *Options) { o.MaxPending = 2 })
	got := make(chan error, 1)
	go func() {
		_, err := r.Request(t.Context(), Request{Method: "GET", URL: "/first"})
		got <- err
	}()
	eventually(t, "the first waits", func() bool { return r.printed.lines("waits") != nil })
	r.pending.Add(1)
	r.fails("/third", ErrBusy)
	r.pending.Add(-1)
	r.get("/second")
	if err := <-got; err != nil {
		t.Error(err)
	}
	if n := r.pending.Load(); n != 0 {
		t.Errorf("%d pending", n)
	}
}

func TestTooLong(t *testing.T) {
	r := newRig(t, "body.js")
	for _, req := range []Request{
		{URL: strings.Repeat("x", maxURL+1)},
		{Headers: []Header{{"a", strings.Repeat("x", maxHeaders)}}},
	} {
		if _, err := r.Request(t.Context(), req); !errors.Is(err, ErrScript) {
			t.Errorf("%v", err)
		}
	}
}

func TestParallel(t *testing.T) {
	r := newRig(t, `httpout.on_request = (req) => {
		let left = 3;
		req.reply = 200;
		req.body = req.url;
		req.close = () => 0;
		req.read = (b) => { new Uint8Array(b)[0] = Number(req.url.substring(1)); return left-- > 0 ? 1 : 0; };
		setTimeout(() => req.send(), Math.random() * 5);
	}
`)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			a, err := r.Request(t.Context(), Request{Method: "GET", URL: fmt.Sprintf("/%d", i)})
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			defer a.Done(nil)
			got, err := readAll(t, a)
			if want := strings.Repeat(string([]byte{byte(i)}), 3); got != want || a.Body != fmt.Sprintf("/%d", i) || err != nil {
				t.Errorf("%d: body %s, read %q, %v", i, a.Body, got, err)
			}
		})
	}
	all.Wait()
	eventually(t, "the calls forgotten", func() bool {
		r.cur.mu.Lock()
		defer r.cur.mu.Unlock()
		return len(r.cur.calls) == 0
	})
}

func TestPrint(t *testing.T) {
	script := `print(GF_LOG_WARNING, 'to', 'be'); print(1); print(4, 'low'); console.log('two\nlines', {}); console.error('bad');
	print('x'.repeat(20000)); httpout.on_request = (req) => req.send();
`
	r := newRig(t, script, func(o *Options) { o.Print = nil })
	eventually(t, "all printed", func() bool {
		return r.log.lines("level=WARN", `text="to be"`) != nil && r.log.lines("level=INFO", `text=1`) != nil &&
			r.log.lines("level=ERROR", "text=bad") != nil && r.log.lines(`text="two\nlines [object Object]"`) != nil &&
			r.log.lines("text=xxxx") != nil
	})
	if n := len(r.log.lines("text=xxxx")[0]); n > 9000 {
		t.Errorf("a line of %d bytes", n)
	}
	if r.log.lines("text=low") != nil {
		t.Error("a line for debugging was logged as more")
	}
}
