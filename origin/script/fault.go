package script

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/dop251/goja"
)

// describe makes one line of an error of the interpreter.
func (h *host) describe(err error) *failMsg {
	var (
		stopped  *goja.InterruptedError
		overflow *goja.StackOverflowError
		thrown   *goja.Exception
	)
	switch {
	case errors.As(err, &stopped):
		m := &failMsg{fault: faultTime, text: h.place(stopped.Stack())}
		if why, ok := stopped.Value().(fault); ok {
			m.fault = why
		}
		if m.fault == faultMemory {
			m.text += h.guard.text
		} else {
			m.text += fmt.Sprintf("over the bound of %v", h.guard.time)
		}
		return m
	case errors.As(err, &overflow):
		text := fmt.Sprintf("%sRangeError: more than %d nested calls", h.place(overflow.Stack()), maxStack)
		return &failMsg{fault: faultScript, text: text}
	case errors.As(err, &thrown):
		place := h.place(thrown.Stack())
		text, own := h.textOf(thrown.Value())
		if place == "" {
			place = own
		}
		return &failMsg{fault: faultScript, text: place + text}
	default:
		return &failMsg{fault: faultScript, text: h.path + ": " + oneLine(err.Error(), maxText)}
	}
}

// describeValue makes one line of what a promise was rejected with.
func (h *host) describeValue(v goja.Value) *failMsg {
	text, place := h.textOf(v)
	return &failMsg{fault: faultScript, text: place + text}
}

// place is where on the stack the script is, as the beginning of a line.
func (h *host) place(stack []goja.StackFrame) string {
	for i := range stack {
		if at := stack[i].Position(); stack[i].SrcName() == h.path && at.Line > 0 {
			return fmt.Sprintf("%s:%d:%d: ", h.path, at.Line, at.Column)
		}
	}
	return ""
}

var stackPlace = regexp.MustCompile(`:(\d+:\d+)\(\d+\)`)

// textOf is what v says, and the place an error was made at. Asking an object
// runs the script: that has its bounds, too.
func (h *host) textOf(v goja.Value) (text, place string) {
	if v == nil {
		return "undefined", h.path + ": "
	}
	obj, ok := v.(*goja.Object)
	if !ok {
		return oneLine(v.String(), maxText), h.path + ": "
	}
	text = "an object that does not say what it is"
	place = h.path + ": "
	saved := h.owner
	defer func() { h.owner = saved }()
	h.owner = nil
	h.guard.begin("the text of an error")
	h.protect("the text of an error", h.within(func() { //nolint:errcheck // then it says nothing
		text = oneLine(obj.String(), maxText)
		stack := obj.Get("stack")
		if stack == nil {
			return
		}
		if m := stackPlace.FindStringSubmatch(stack.String()); m != nil {
			place = fmt.Sprintf("%s:%s: ", h.path, m[1])
		}
	}))
	h.guard.finish()
	return text, place
}
