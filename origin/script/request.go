package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Header is one line of a header.
type Header struct{ Name, Value string }

// Request is what the script is told of a request, as req.
type Request struct {
	Method, URL string // URL is decoded, as httpout gives it
	AuthCode    int    // 200, 400, 401 or 403
	Headers     []Header
	TLS         bool
	NetID       int64 // of the connection
	IP          string
	Port        int // of the client
}

// Answer is what the script had decided at send(). Done must be called once
// when the request is over. A callback of the script that fails is logged here;
// the caller ends the reply.
type Answer struct {
	Reply   int      // 0: the server goes on as usual; else 200 to 999
	Headers []Header // headers_out; names and values are fit for a header
	Body    string   // Reply 0: the path of a local file to serve instead; else the content
	HasBody bool

	// The callbacks of the script, nil where it has set none. They run one at a
	// time, in the order of the calls.

	// Read fills p, of which it uses 64 KiB at most, and is set for GET alone. It
	// waits while the script has nothing yet, and is io.EOF at the end.
	Read func(ctx context.Context, p []byte) (n int, err error)
	// Write gives the script a part of what a PUT or POST brings, nil at the
	// end. It is not kept. It is set for those methods with a Reply alone.
	Write func(ctx context.Context, p []byte) error
	// Throttle is how long to wait before the next part is sent, done bytes of
	// total having been; a total of -1 is not known, and 0 to the script.
	Throttle func(ctx context.Context, done, total int64) (time.Duration, error)

	done func(err error)
}

// Done calls the script's close, with 1 for a nil err, as httpout does for a
// request that has ended well, with -43 for one whose client has gone, which
// is what an ended context means, and with -13 for other errors. It does not
// wait for the script. Calls after the first do nothing.
func (a *Answer) Done(err error) {
	if a.done != nil {
		a.done(err)
	}
}

// httpout's codes for close.
const (
	closeEnd     = 1
	closeService = -13
	closeGone    = -43
)

func closeCode(err error) int64 {
	switch {
	case err == nil:
		return closeEnd
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return closeGone
	default:
		return closeService
	}
}

// goneCode is the code for a request that ends before its send().
func goneCode(err error) int64 {
	if errors.Is(err, ErrTime) {
		return closeService
	}
	return closeGone
}

var errOver = errors.New("the request is over")

// An exchange is a request that is under way in a process.
type exchange struct {
	eng  *Engine
	p    *process
	c    *call
	req  Request
	life context.Context // ends with the request
	end  context.CancelCauseFunc
	once sync.Once
}

// Request calls the script's on_request and waits for its send(). What goes
// wrong in the script is logged here, and the caller answers 500. If ctx ends
// first, the error is its cause, and the script's close is called.
func (e *Engine) Request(ctx context.Context, r Request) (*Answer, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	defer e.pending.Add(-1)
	if e.pending.Add(1) > int64(e.opt.MaxPending) {
		return nil, ErrBusy
	}
	late := &scriptError{is: ErrTime, text: fmt.Sprintf("no send() within %v", e.opt.Wait)}
	wait, cancel := context.WithTimeoutCause(ctx, e.opt.Wait, late)
	defer cancel()
	p, err := e.current(wait)
	if err != nil {
		return nil, e.failed(r, "on_request", err)
	}
	x := &exchange{eng: e, p: p, c: p.open(e.lastID.Add(1)), req: r}
	x.life, x.end = context.WithCancelCause(context.Background())
	f, err := p.ask(wait, x.c, kindRequest, r.encode())
	if err != nil {
		if wait.Err() != nil {
			x.finish(goneCode(err))
		}
		p.forget(x.c)
		return nil, e.failed(r, "on_request", err)
	}
	return x.answer(f)
}

// check holds r to what a frame takes.
func (r Request) check() error {
	n := len(r.Method) + len(r.IP)
	for _, h := range r.Headers {
		n += len(h.Name) + len(h.Value) + 8
	}
	if len(r.URL) > maxURL || n > maxHeaders {
		return fmt.Errorf("%w: the request's URL or headers are too long for it", ErrScript)
	}
	return nil
}

// failed logs what the script has to answer for, once.
func (e *Engine) failed(r Request, in string, err error) error {
	var se *scriptError
	if errors.As(err, &se) && !se.told && e.life.Err() == nil {
		e.log.Error("script", "method", r.Method, "url", oneLine(r.URL, maxText), "in", in, "err", err)
	}
	return err
}

// answer makes an Answer of the script's.
func (x *exchange) answer(f frame) (*Answer, error) {
	m, err := decodeAnswer(f.body)
	if err != nil || f.kind != kindAnswer {
		x.p.kill(fmt.Errorf("from the script's process: %w", errWire))
		x.p.forget(x.c)
		return nil, errWire
	}
	a := &Answer{Reply: m.reply, Headers: m.headers, Body: m.body, HasBody: m.hasBody}
	if m.callbacks == 0 {
		// The child has forgotten the request, too.
		x.p.forget(x.c)
		return a, nil
	}
	a.done = x.done
	if m.callbacks&hasRead != 0 {
		a.Read = x.read
	}
	if m.callbacks&hasWrite != 0 {
		a.Write = x.write
	}
	if m.callbacks&hasThrottle != 0 {
		a.Throttle = x.throttle
	}
	return a, nil
}

func (x *exchange) done(err error) {
	x.once.Do(func() {
		x.end(errOver)
		x.finish(closeCode(err))
		x.p.forget(x.c)
	})
}

// finish tells the child that the request is over.
func (x *exchange) finish(code int64) {
	x.p.push(frame{kind: kindDone, id: x.c.id, body: encodeInts(code)})
}

// ask is a callback of the script. It ends with the request, too.
func (x *exchange) ask(ctx context.Context, k kind, in string, body []byte) (frame, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(x.life, func() { cancel(errOver) })()
	if x.life.Err() != nil {
		return frame{}, errOver
	}
	f, err := x.p.ask(ctx, x.c, k, body)
	if err != nil {
		return frame{}, x.eng.failed(x.req, in, err)
	}
	return f, nil
}

func (x *exchange) read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		f, err := x.ask(ctx, kindRead, "read", encodeInts(int64(min(len(p), maxBuffer))))
		if err != nil {
			return 0, err
		}
		d := decoder{b: f.body}
		n := d.int()
		switch {
		case n < 0 && !d.bad:
			if err := x.sleep(ctx, pause); err != nil {
				return 0, err
			}
		case n == 0 && !d.bad:
			return 0, io.EOF
		case d.bad || n != int64(len(d.b)) || n > int64(len(p)):
			return 0, errWire
		default:
			return copy(p, d.b), nil
		}
	}
}

func (x *exchange) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-x.life.Done():
		return errOver
	case <-x.p.dead:
		return x.p.err
	}
}

func (x *exchange) write(ctx context.Context, p []byte) error {
	for {
		part := p[:min(len(p), maxBuffer)]
		p = p[len(part):]
		// The frame is written after this call has given up, perhaps.
		if _, err := x.ask(ctx, kindWrite, "write", append([]byte(nil), part...)); err != nil {
			return err
		}
		if len(p) == 0 {
			return nil
		}
	}
}

func (x *exchange) throttle(ctx context.Context, done, total int64) (time.Duration, error) {
	f, err := x.ask(ctx, kindThrottle, "throttle", encodeInts(done, max(total, 0)))
	if err != nil {
		return 0, err
	}
	d := decoder{b: f.body}
	us := d.int()
	if d.end() != nil || us < 0 {
		return 0, errWire
	}
	return time.Duration(us) * time.Microsecond, nil
}
