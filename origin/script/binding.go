package script

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/dop251/goja"
)

// A jsRequest is a request in the script.
type jsRequest struct {
	id     uint64
	seq    uint32 // of the question whose answer is waited for
	name   string // method and URL, for people
	method string
	obj    *goja.Object // req
	answer *answerMsg   // set by send
	waits  bool         // the parent waits for answer
	over   bool         // nothing is to be done for it
	result *goja.Promise
}

// request is a new request.
func (h *host) request(f frame) error {
	m, err := decodeRequest(f.body)
	if err != nil {
		return err
	}
	r := &jsRequest{id: f.id, seq: f.seq, method: m.Method, name: oneLine(m.Method+" "+m.URL, 200), waits: true}
	h.reqs[r.id] = r
	h.settle(r, h.enter(r, "on_request", h.within(func() {
		r.obj = h.newRequest(r, m)
		h.remember(r, must(h.onRequest(h.httpout, r.obj)))
	})))
	return nil
}

// remember keeps the promise of an asynchronous on_request: if it fails, later,
// the request has.
func (h *host) remember(r *jsRequest, v goja.Value) {
	if p := promiseOf(v); p != nil && !r.over {
		r.result = p
		h.promises[p] = r
	}
}

// promiseOf returns the promise v is, or nil.
func promiseOf(v goja.Value) *goja.Promise {
	if v == nil || v.ExportType() != reflect.TypeFor[*goja.Promise]() {
		return nil
	}
	p, _ := v.Export().(*goja.Promise)
	return p
}

// must throws err on, inside the interpreter.
func must[T goja.Value](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newRequest makes req.
func (h *host) newRequest(r *jsRequest, m Request) *goja.Object {
	in := make([]any, len(m.Headers))
	for i, line := range m.Headers {
		in[i] = h.object("name", line.Name, "value", line.Value)
	}
	return h.object("method", m.Method, "url", m.URL, "auth_code", m.AuthCode,
		"headers_in", h.rt.NewArray(in...), "headers_out", h.rt.NewArray(), "reply", 0,
		"send", func(goja.FunctionCall) goja.Value { return h.send(r) },
		"tls", m.TLS, "netid", m.NetID, "IP", m.IP, "port", m.Port)
}

// object makes an object of names and values in turn.
func (h *host) object(list ...any) *goja.Object {
	obj := h.rt.NewObject()
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		obj.Set(name, list[i+1]) //nolint:errcheck // nothing forbids it
	}
	return obj
}

// send is req.send: the answer is what req says now.
func (h *host) send(r *jsRequest) goja.Value {
	switch {
	case r.answer != nil:
		panic(h.rt.NewTypeError("send() called a second time"))
	case r.over:
		return goja.Undefined() // the client has gone; no one is there to be told
	}
	m := &answerMsg{reply: h.replyOf(r.obj), headers: h.headersOf(r.obj)}
	if body := r.obj.Get("body"); goja.IsString(body) {
		m.body, m.hasBody = body.String(), true
		if len(m.body) > maxBody {
			panic(h.rangeError("body has %d bytes; read is for more than %d", len(m.body), maxBody))
		}
	}
	m.callbacks = h.callbacksOf(r, m.reply)
	if h.uploads(r, m.reply) && m.callbacks&hasWrite == 0 {
		panic(h.rt.NewTypeError("a %s that is answered with %d needs write", r.method, m.reply))
	}
	r.answer = m
	h.sent = append(h.sent, r)
	return goja.Undefined()
}

func (h *host) rangeError(format string, args ...any) goja.Value {
	text := h.rt.ToValue(fmt.Sprintf(format, args...))
	return must(h.rt.New(h.rt.GlobalObject().Get("RangeError"), text))
}

// replyOf is req.reply.
func (h *host) replyOf(obj *goja.Object) int {
	v := obj.Get("reply")
	if v == nil {
		return 0
	}
	n := v.ToInteger()
	if n != 0 && (n < 200 || n > 999) {
		panic(h.rangeError("%d is no reply: 0 or 200 to 999 is", n))
	}
	return int(n)
}

// headersOf is req.headers_out.
func (h *host) headersOf(obj *goja.Object) []Header {
	out, ok := obj.Get("headers_out").(*goja.Object)
	if !ok {
		return nil
	}
	var list []Header
	size := 0
	for i := range int(min(out.Get("length").ToInteger(), maxHeaders)) {
		line, ok := out.Get(index(i)).(*goja.Object)
		if !ok {
			panic(h.rt.NewTypeError("headers_out[%d] is no object", i))
		}
		name, value := line.Get("name"), line.Get("value")
		if name == nil || value == nil || !isToken(name.String()) || !isFieldValue(value.String()) {
			panic(h.rt.NewTypeError("headers_out[%d] has no name or value fit for a header", i))
		}
		list = append(list, Header{name.String(), value.String()})
		if size += len(list[i].Name) + len(list[i].Value) + 8; size > maxHeaders {
			panic(h.rangeError("headers_out has more than %d bytes", maxHeaders))
		}
	}
	return list
}

// isToken says whether s is a header's name: RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// isFieldValue says whether s has no line ends or other control characters, as
// an URL has that would add headers of its own: RFC 9110, section 5.5.
func isFieldValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// uploads says whether the script takes what the request brings.
func (h *host) uploads(r *jsRequest, reply int) bool {
	return reply >= 200 && reply < 300 && (r.method == "PUT" || r.method == "POST")
}

// callbacksOf are the callbacks the script has set that are for such a request.
func (h *host) callbacksOf(r *jsRequest, reply int) int64 {
	var bits int64
	has := func(name string, bit int64) {
		if _, ok := goja.AssertFunction(r.obj.Get(name)); ok {
			bits |= bit
		}
	}
	has("throttle", hasThrottle)
	has("close", hasClose)
	if r.method == "GET" {
		has("read", hasRead)
	}
	if reply != 0 && (r.method == "PUT" || r.method == "POST") {
		has("write", hasWrite)
	}
	return bits
}

// answer tells the parent what was sent. A request without callbacks is over.
func (h *host) answer(r *jsRequest) {
	if !r.waits {
		return
	}
	r.waits = false
	h.write(frame{kind: kindAnswer, id: r.id, seq: r.seq, body: r.answer.encode()})
	if r.answer.callbacks == 0 {
		h.drop(r)
	}
	r.answer = &answerMsg{} // its body need not stay
}

// drop forgets r.
func (h *host) drop(r *jsRequest) {
	r.over = true
	delete(h.reqs, r.id)
	if r.result != nil {
		delete(h.promises, r.result)
	}
}
