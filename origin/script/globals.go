package script

import (
	"container/heap"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
)

// setGlobals gives the script what httpout's have without an import.
func (h *host) setGlobals() {
	h.httpout = h.rt.NewObject()
	printer := func(level int64) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value { return h.print(level, call.Arguments) }
	}
	for name, v := range map[string]any{
		"httpout": h.httpout, "setTimeout": h.setTimeout, "clearTimeout": h.clearTimeout, "print": printer(levelInfo),
		"console": h.object("log", printer(levelInfo), "info", printer(levelInfo), "debug", printer(levelDebug),
			"warn", printer(levelWarn), "error", printer(levelError)),
		"GF_LOG_ERROR": levelError, "GF_LOG_WARNING": levelWarn, "GF_LOG_INFO": levelInfo, "GF_LOG_DEBUG": levelDebug,
	} {
		h.rt.Set(name, v) //nolint:errcheck // nothing forbids it
	}
}

// print hands a line to the parent. Of several values the first may be the
// line's level, a number.
func (h *host) print(level int64, args []goja.Value) goja.Value {
	if len(args) > 1 && goja.IsNumber(args[0]) {
		level, args = args[0].ToInteger(), args[1:]
	}
	list := make([]string, len(args))
	for i, v := range args {
		list[i] = v.String()
	}
	text := strings.Join(list, " ")
	if len(text) > maxPrint {
		text = strings.ToValidUTF8(text[:maxPrint], "") + "…"
	}
	h.write(frame{kind: kindPrint, body: printMsg{level: level, text: text}.encode()})
	return goja.Undefined()
}

// A timer is a call of setTimeout.
type timer struct {
	id    int64
	at    time.Time
	fn    goja.Callable
	args  []goja.Value
	owner *jsRequest // for whom it was set
	index int        // in timers.list
}

// timers are those that are set, the next first.
type timers struct {
	list []*timer
	byID map[int64]*timer
	last int64 // the last id given
}

func (t *timers) Len() int { return len(t.list) }
func (t *timers) Less(i, j int) bool {
	a, b := t.list[i], t.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.id < b.id
}

func (t *timers) Swap(i, j int) {
	t.list[i], t.list[j] = t.list[j], t.list[i]
	t.list[i].index, t.list[j].index = i, j
}

func (t *timers) Push(x any) {
	one, _ := x.(*timer)
	one.index = len(t.list)
	t.list = append(t.list, one)
}

func (t *timers) Pop() any {
	one := t.list[len(t.list)-1]
	t.list[len(t.list)-1] = nil
	t.list = t.list[:len(t.list)-1]
	return one
}

// due takes the timer whose time has come, or nil.
func (t *timers) due(now time.Time) *timer {
	if len(t.list) == 0 || t.list[0].at.After(now) {
		return nil
	}
	one, _ := heap.Pop(t).(*timer)
	delete(t.byID, one.id)
	return one
}

// wait is the time until a timer is due.
func (t *timers) wait(now time.Time) time.Duration {
	if len(t.list) == 0 {
		return time.Hour
	}
	return t.list[0].at.Sub(now)
}

// setTimeout is the script's. Its timer belongs to the request it was set for:
// an exception in it fails that one.
func (h *host) setTimeout(call goja.FunctionCall) goja.Value {
	fn, ok := goja.AssertFunction(call.Argument(0))
	if !ok {
		panic(h.rt.NewTypeError("setTimeout needs a function"))
	}
	if h.timers.Len() >= maxTimers {
		panic(h.rangeError("more than %d timers", maxTimers))
	}
	ms := call.Argument(1).ToFloat()
	if !(ms > 0) { // nor a number at all
		ms = 0
	}
	ms = min(ms, math.MaxInt32)
	h.timers.last++
	t := &timer{id: h.timers.last, at: time.Now().Add(time.Duration(ms * float64(time.Millisecond))), fn: fn, owner: h.owner}
	if len(call.Arguments) > 2 {
		t.args = call.Arguments[2:]
	}
	if h.timers.byID == nil {
		h.timers.byID = make(map[int64]*timer)
	}
	h.timers.byID[t.id] = t
	heap.Push(&h.timers, t)
	return h.rt.ToValue(t.id)
}

func (h *host) clearTimeout(call goja.FunctionCall) goja.Value {
	if t := h.timers.byID[call.Argument(0).ToInteger()]; t != nil {
		delete(h.timers.byID, t.id)
		heap.Remove(&h.timers, t.index)
	}
	return goja.Undefined()
}

// fire runs a timer.
func (h *host) fire(t *timer) {
	h.settle(t.owner, h.enter(t.owner, "a timer", h.within(func() { must(t.fn(goja.Undefined(), t.args...)) })))
}

// index is the name of an array's element.
func index(i int) string { return strconv.Itoa(i) }
