package script

import (
	"github.com/dop251/goja"
)

// callback calls one of req's, whose result take makes the reply of.
func (h *host) callback(f frame, name string, arg func() []goja.Value, take func(v goja.Value) frame) {
	r := h.reqs[f.id]
	if r == nil || r.waits {
		fail := failMsg{fault: faultScript, text: h.path + ": " + name + " of a request that is over"}
		h.write(frame{kind: kindFail, id: f.id, seq: f.seq, body: fail.encode()})
		h.flush()
		return
	}
	r.seq, r.waits = f.seq, true
	var reply frame
	fail := h.enter(r, name, h.within(func() {
		fn, ok := goja.AssertFunction(r.obj.Get(name))
		if !ok {
			panic(h.rt.NewTypeError("%s is a function no longer", name))
		}
		reply = take(must(fn(r.obj, arg()...)))
	}))
	r.waits = false
	if fail != nil {
		reply = frame{kind: kindFail, body: fail.encode()}
	}
	reply.id, reply.seq = f.id, f.seq
	h.write(reply)
	h.settle(r, nil)
}

// number is what a callback gave, as httpout takes it.
func (h *host) number(name string, v goja.Value) int64 {
	if promiseOf(v) != nil {
		panic(h.rt.NewTypeError("%s gave a promise where a number is due", name))
	}
	return int64(int32(v.ToInteger()))
}

// read has the script fill a buffer, which is the next read's, too.
func (h *host) read(f frame) error {
	d := decoder{b: f.body}
	size := d.int()
	if d.end() != nil || size < 1 || size > maxBuffer {
		return errWire
	}
	buf := h.data[:size]
	clear(buf) // nothing of another request's is sent by mistake
	arg := func() []goja.Value { return []goja.Value{h.rt.ToValue(h.rt.NewArrayBuffer(buf))} }
	h.callback(f, "read", arg, func(v goja.Value) frame {
		n := h.number("read", v)
		if n > size {
			panic(h.rangeError("read gave %d bytes of a buffer of %d", n, size))
		}
		var e encoder
		e.int(n)
		e.bytes(buf[:max(n, 0)])
		return frame{kind: kindData, body: e}
	})
	return nil
}

// writeBack gives the script what was received, or null at the end.
func (h *host) writeBack(f frame) {
	arg := func() []goja.Value {
		if len(f.body) == 0 {
			return []goja.Value{goja.Null()}
		}
		return []goja.Value{h.rt.ToValue(h.rt.NewArrayBuffer(f.body))}
	}
	h.callback(f, "write", arg, func(goja.Value) frame { return frame{kind: kindWrote} })
}

// throttle asks the script for a delay: microseconds, as httpout counts them.
func (h *host) throttle(f frame) error {
	d := decoder{b: f.body}
	done, total := d.int(), d.int()
	if err := d.end(); err != nil {
		return err
	}
	arg := func() []goja.Value { return []goja.Value{h.rt.ToValue(done), h.rt.ToValue(total)} }
	h.callback(f, "throttle", arg, func(v goja.Value) frame {
		return frame{kind: kindDelay, body: encodeInts(max(h.number("throttle", v), 0))}
	})
	return nil
}

// done is the end of a request, sent or not.
func (h *host) done(f frame) error {
	d := decoder{b: f.body}
	code := d.int()
	if err := d.end(); err != nil {
		return err
	}
	r := h.reqs[f.id]
	if r == nil {
		return nil
	}
	r.waits = false
	h.drop(r)
	h.settle(r, h.enter(r, "close", h.within(func() {
		if fn, ok := goja.AssertFunction(r.obj.Get("close")); ok {
			must(fn(r.obj, h.rt.ToValue(code)))
		}
	})))
	return nil
}
