package script

import "time"

// loadMsg is what the child begins with.
type loadMsg struct {
	path, source string
	time         time.Duration
	memory       int64
	unwatched    bool
}

func (m loadMsg) encode() []byte {
	var e encoder
	e.str(m.path)
	e.str(m.source)
	e.int(int64(m.time))
	e.int(m.memory)
	e.flag(m.unwatched)
	return e
}

func decodeLoad(b []byte) (m loadMsg, err error) {
	d := decoder{b: b}
	m = loadMsg{path: d.str(), source: d.str(), time: time.Duration(d.int()), memory: d.int(), unwatched: d.flag()}
	return m, d.end()
}

func (r Request) encode() []byte {
	var e encoder
	e.str(r.Method)
	e.str(r.URL)
	e.int(int64(r.AuthCode))
	e.headers(r.Headers)
	e.flag(r.TLS)
	e.int(r.NetID)
	e.str(r.IP)
	e.int(int64(r.Port))
	return e
}

func decodeRequest(b []byte) (r Request, err error) {
	d := decoder{b: b}
	r = Request{Method: d.str(), URL: d.str(), AuthCode: int(d.int()), Headers: d.headers(), TLS: d.flag(),
		NetID: d.int(), IP: d.str(), Port: int(d.int())}
	return r, d.end()
}

// The callbacks a script has set, as bits.
const (
	hasRead = 1 << iota
	hasWrite
	hasThrottle
	hasClose
)

// answerMsg is what the script had decided at send().
type answerMsg struct {
	reply     int
	headers   []Header
	hasBody   bool
	body      string
	callbacks int64
}

func (m answerMsg) encode() []byte {
	var e encoder
	e.int(int64(m.reply))
	e.headers(m.headers)
	e.flag(m.hasBody)
	e.str(m.body)
	e.int(m.callbacks)
	return e
}

func decodeAnswer(b []byte) (m answerMsg, err error) {
	d := decoder{b: b}
	m = answerMsg{reply: int(d.int()), headers: d.headers(), hasBody: d.flag(), body: d.str(), callbacks: d.int()}
	return m, d.end()
}

// fault is the kind of an error in the child.
type fault int64

const (
	faultScript fault = iota + 1
	faultTime
	faultMemory
)

// failMsg is an error of the script: one line, with file and line where known.
type failMsg struct {
	fault fault
	text  string
}

func (m failMsg) encode() []byte {
	var e encoder
	e.int(int64(m.fault))
	e.str(m.text)
	return e
}

func decodeFail(b []byte) (m failMsg, err error) {
	d := decoder{b: b}
	m = failMsg{fault: fault(d.int()), text: d.str()}
	return m, d.end()
}

// err returns the message as one of the package's errors.
func (m failMsg) err() error {
	switch m.fault {
	case faultTime:
		return &scriptError{is: ErrTime, text: m.text}
	case faultMemory:
		return &scriptError{is: ErrMemory, text: m.text}
	default:
		return &scriptError{is: ErrScript, text: m.text}
	}
}

// scriptError is one of the package's errors with what the script was doing.
type scriptError struct {
	is   error
	text string
	told bool // it has been logged, with the end of its process
}

func (e *scriptError) Error() string { return e.is.Error() + ": " + e.text }
func (e *scriptError) Unwrap() error { return e.is }

// printMsg is a line the script prints, with httpout's level of it.
type printMsg struct {
	level int64
	text  string
}

func (m printMsg) encode() []byte {
	var e encoder
	e.int(m.level)
	e.str(m.text)
	return e
}

func decodePrint(b []byte) (m printMsg, err error) {
	d := decoder{b: b}
	m = printMsg{level: d.int(), text: d.str()}
	return m, d.end()
}

// encodeInts is a body of numbers alone.
func encodeInts(list ...int64) []byte {
	var e encoder
	for _, v := range list {
		e.int(v)
	}
	return e
}
