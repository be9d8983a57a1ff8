package script

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (f frame) bytes() []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err := errors.Join(f.writeTo(w), w.Flush()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestFrames(t *testing.T) {
	var all []byte
	list := []frame{
		{kind: kindPing},
		{kind: kindRequest, id: 1<<64 - 1, seq: 1<<32 - 1, body: []byte("body")},
		{kind: kindData, id: 5, body: bytes.Repeat([]byte{0, 255}, 20_000)},
	}
	for _, f := range list {
		all = append(all, f.bytes()...)
	}
	r := bufio.NewReader(bytes.NewReader(all))
	for _, want := range list {
		got, err := readFrame(r)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(frame{})); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
	}
	if _, err := readFrame(r); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestBrokenFrames(t *testing.T) {
	good := frame{kind: kindPong, body: []byte("abc")}.bytes()
	with := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge, headerSize-lenSize+maxPayload+1)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"cut in the header", good[:5], io.ErrUnexpectedEOF},
		{"cut in the body", good[:len(good)-1], io.ErrUnexpectedEOF},
		{"too short", with(3, 5), errWire},
		{"too long", huge, errWire},
		{"no kind", with(4, 0), errWire},
		{"unknown kind", with(4, byte(kindEnd)), errWire},
	} {
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(c.in))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

var (
	someHeaders = []Header{{"A", "b"}, {"", ""}, {"C", strings.Repeat("d", 500)}}
	someRequest = Request{Method: "GET", URL: "/\x00ü\xff", AuthCode: -1, Headers: someHeaders, TLS: true, NetID: -1 << 63, IP: "::", Port: 9}
	someAnswer  = answerMsg{reply: 999, headers: someHeaders, hasBody: true, body: "b", callbacks: hasRead | hasClose}
)

func TestMessages(t *testing.T) {
	all := cmp.AllowUnexported(loadMsg{}, answerMsg{}, failMsg{}, printMsg{})
	check := func(got any, err error, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got, all); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
	load := loadMsg{path: "p", source: "s", time: 1, memory: 2, unwatched: true}
	a, err := decodeLoad(load.encode())
	check(a, err, load)
	b, err := decodeRequest(someRequest.encode())
	check(b, err, someRequest)
	c, err := decodeAnswer(someAnswer.encode())
	check(c, err, someAnswer)
	d, err := decodeFail(failMsg{fault: faultMemory, text: "t"}.encode())
	check(d, err, failMsg{fault: faultMemory, text: "t"})
	e, err := decodePrint(printMsg{level: -2, text: "t"}.encode())
	check(e, err, printMsg{level: -2, text: "t"})
	for cut := range someAnswer.encode() {
		if _, err := decodeAnswer(someAnswer.encode()[:cut]); !errors.Is(err, errWire) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
	if _, err := decodeAnswer(append(someAnswer.encode(), 0)); !errors.Is(err, errWire) {
		t.Errorf("a byte too many: %v", err)
	}
	if _, err := decodeRequest(encodeInts(1 << 40)); !errors.Is(err, errWire) {
		t.Errorf("a string too long: %v", err)
	}
}

// FuzzFrames takes what a broken or hostile other side could send.
func FuzzFrames(f *testing.F) {
	f.Add(frame{kind: kindRequest, id: 1, body: someRequest.encode()}.bytes())
	f.Add(frame{kind: kindAnswer, id: 1, seq: 2, body: someAnswer.encode()}.bytes())
	f.Add(frame{kind: kindFail, body: failMsg{faultTime, "text"}.encode()}.bytes())
	f.Add(frame{kind: kindPrint, body: printMsg{3, "text"}.encode()}.bytes())
	f.Add(frame{kind: kindLoad, body: loadMsg{path: "a", source: "b"}.encode()}.bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) >= lenSize && binary.BigEndian.Uint32(in) > 1<<20 {
			return // only slow
		}
		got, err := readFrame(bufio.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		if len(got.body) > len(in) || !bytes.HasPrefix(in, got.bytes()) {
			t.Fatalf("%x is read as %x", in, got.bytes())
		}
		if m, err := decodeRequest(got.body); err == nil {
			again, err := decodeRequest(m.encode())
			if diff := cmp.Diff(m, again); diff != "" || err != nil {
				t.Fatal(err, diff)
			}
		}
		if m, err := decodeAnswer(got.body); err == nil && len(m.headers)*2 > len(got.body) {
			t.Fatalf("%d headers in %d bytes", len(m.headers), len(got.body))
		}
		decodeLoad(got.body)  //nolint:errcheck // it must not panic
		decodeFail(got.body)  //nolint:errcheck // likewise
		decodePrint(got.body) //nolint:errcheck // likewise
	})
}

// TestHostileChild has frames that the parent did not ask for: they end the
// child, or are nothing.
func TestHostileChild(t *testing.T) {
	p := &process{eng: &Engine{}, calls: map[uint64]*call{}}
	c := p.open(1)
	c.seq = 2
	for _, f := range []frame{
		{kind: kindAnswer, id: 1, seq: 1}, {kind: kindAnswer, id: 2, seq: 2}, {kind: kindAnswer, id: 1, seq: 2},
		{kind: kindAnswer, id: 1, seq: 2},
	} {
		if err := p.take(f); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.answer) != 1 {
		t.Errorf("%d answers", len(c.answer))
	}
	for _, k := range []kind{kindPrint, kindLog} {
		if err := p.take(frame{kind: k, body: []byte{1}}); !errors.Is(err, errWire) {
			t.Errorf("kind %d: %v", k, err)
		}
	}
}
