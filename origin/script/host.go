package script

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// A host is the child's side: it owns the interpreter. All but receive and the
// guard run in its one goroutine.
type host struct {
	path  string
	rt    *goja.Runtime
	guard *guard
	inbox chan frame
	out   *bufio.Writer
	data  []byte // the buffer of a read callback

	httpout   *goja.Object
	onRequest goja.Callable
	inside    goja.Callable // calls body inside the interpreter
	body      func()

	reqs     map[uint64]*jsRequest
	promises map[*goja.Promise]*jsRequest // what an asynchronous on_request gave
	timers   timers

	// Of the entry that runs.
	owner    *jsRequest   // for whom, if for any
	sent     []*jsRequest // what was sent in it
	rejected []*goja.Promise
}

// inboxSize is the number of frames that are read ahead.
const inboxSize = 16

func newHost(m loadMsg, out io.Writer) *host {
	h := &host{
		path: m.path, rt: goja.New(), inbox: make(chan frame, inboxSize), out: bufio.NewWriterSize(out, maxBuffer),
		data: make([]byte, maxBuffer), reqs: make(map[uint64]*jsRequest), promises: make(map[*goja.Promise]*jsRequest),
	}
	h.rt.SetMaxCallStackSize(maxStack)
	h.rt.SetParserOptions(parser.WithDisableSourceMaps)
	h.rt.SetPromiseRejectionTracker(h.track)
	h.inside, _ = goja.AssertFunction(h.rt.ToValue(func(goja.FunctionCall) goja.Value {
		h.body()
		return goja.Undefined()
	}))
	h.setGlobals()
	h.guard = newGuard(h.rt, m)
	return h
}

// load runs the script once and tells the parent how that went.
func (h *host) load(f frame, m loadMsg) bool {
	var syntax error
	fail := h.enter(nil, "loading", func() error {
		program, err := compile(m.path, m.source)
		if err != nil {
			syntax = err
			return nil
		}
		_, err = h.rt.RunProgram(program)
		return err
	})
	if syntax != nil && fail == nil {
		fail = &failMsg{fault: faultScript, text: oneLine(syntax.Error(), maxText)}
	}
	if fail == nil {
		fail = h.enter(nil, "loading", h.within(func() { h.onRequest, _ = goja.AssertFunction(h.httpout.Get("on_request")) }))
	}
	if fail == nil && h.onRequest == nil {
		fail = &failMsg{fault: faultScript, text: h.path + ": the script sets no httpout.on_request"}
	}
	if fail != nil {
		h.write(frame{kind: kindFail, id: f.id, seq: f.seq, body: fail.encode()})
	} else {
		h.write(frame{kind: kindLoaded, id: f.id, seq: f.seq})
	}
	h.settle(nil, nil)
	return fail == nil
}

// loop takes frames and timers in turn, so that neither starves the other.
func (h *host) loop() {
	alarm := time.NewTimer(time.Hour)
	for {
		if t := h.timers.due(time.Now()); t != nil {
			h.fire(t)
			select {
			case f := <-h.inbox:
				h.handle(f)
			default:
			}
			continue
		}
		alarm.Reset(h.timers.wait(time.Now()))
		select {
		case f := <-h.inbox:
			h.handle(f)
		case <-alarm.C:
		}
	}
}

func (h *host) handle(f frame) {
	var err error
	switch f.kind {
	case kindRequest:
		err = h.request(f)
	case kindRead:
		err = h.read(f)
	case kindWrite:
		h.writeBack(f)
	case kindThrottle:
		err = h.throttle(f)
	case kindDone:
		err = h.done(f)
	case kindPing:
		h.write(frame{kind: kindPong})
		h.flush()
	default:
		err = fmt.Errorf("%w: kind %d", errWire, f.kind)
	}
	if err != nil {
		wireFault(err)
	}
}

// write puts a frame where flush sends it. An error has no one to be told to:
// the parent is gone, and receive sees that, too.
func (h *host) write(f frame) {
	f.writeTo(h.out) //nolint:errcheck // see above
}

func (h *host) flush() {
	h.out.Flush() //nolint:errcheck // see write
}

// within makes a body one that runs inside the interpreter, where it may get
// properties and convert values: what the script throws there ends it.
func (h *host) within(body func()) func() error {
	return func() error {
		h.body = body
		_, err := h.inside(goja.Undefined())
		return err
	}
}

// enter runs the script for owner, within its bounds. It returns what went wrong.
func (h *host) enter(owner *jsRequest, what string, run func() error) *failMsg {
	if owner != nil {
		what += " of " + owner.name
	}
	h.owner = owner
	h.guard.begin(what)
	err := h.protect(what, run)
	why := h.guard.finish()
	var fail *failMsg
	if err != nil {
		fail = h.describe(err)
	}
	if why == faultMemory {
		// The interpreter lets go of its stack when an entry ends well.
		h.within(func() {})() //nolint:errcheck // it does nothing
		if h.guard.over(h.guard.spare) {
			h.lastWords(owner, fail)
			h.guard.giveUp()
		}
		h.guard.calm()
	}
	return fail
}

// protect ends the process when the interpreter panics: its state is lost.
func (h *host) protect(what string, run func() error) error {
	defer func() {
		x := recover()
		if x == nil {
			return
		}
		text := oneLine(fmt.Sprintf("%s: %v, in %s", h.path, x, what), maxText)
		h.lastWords(h.owner, &failMsg{fault: faultScript, text: text})
		exit(exitFault, fmt.Sprintf("%v, in %s", x, what))
	}()
	return run()
}

// lastWords tells what went wrong for r before this process ends.
func (h *host) lastWords(r *jsRequest, fail *failMsg) {
	h.write(frame{kind: kindBye})
	h.tell(r, fail)
	h.flush()
}

// settle tells the parent what an entry for r has brought: what was sent in it,
// unless r failed, and what has failed.
func (h *host) settle(r *jsRequest, fail *failMsg) {
	list := h.sent
	h.sent = nil
	for _, s := range list {
		if s != r || fail == nil {
			h.answer(s)
		}
	}
	h.tell(r, fail)
	h.tellRejected(r)
	h.flush()
}

// tell reports what went wrong for r, to who waits for its answer or else to
// the log.
func (h *host) tell(r *jsRequest, fail *failMsg) {
	switch {
	case fail == nil:
	case r != nil && r.waits:
		h.write(frame{kind: kindFail, id: r.id, seq: r.seq, body: fail.encode()})
		r.waits = false
		h.drop(r)
	default:
		h.write(frame{kind: kindLog, body: fail.encode()})
	}
}

// track keeps the promises that are rejected while no one looks.
func (h *host) track(p *goja.Promise, op goja.PromiseRejectionOperation) {
	if op == goja.PromiseRejectionReject {
		h.rejected = append(h.rejected, p)
		return
	}
	for i, q := range h.rejected {
		if q == p {
			h.rejected = append(h.rejected[:i], h.rejected[i+1:]...)
			return
		}
	}
}

// tellRejected reports the promises an entry for r has left rejected.
func (h *host) tellRejected(r *jsRequest) {
	list := h.rejected
	h.rejected = nil
	for _, p := range list {
		who := r
		if of := h.promises[p]; of != nil {
			who = of
		}
		h.tell(who, h.describeValue(p.Result()))
	}
}
