package script

import (
	"io"
	"log/slog"
	"testing"
)

func benchEngine(b *testing.B, script string) *Engine {
	b.Helper()
	e, err := New(Options{Path: script, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(b.Context()); err != nil && b.Context().Err() == nil {
			b.Error(err)
		}
	})
	return e
}

var benchRequest = Request{Method: "GET", URL: "/live/seg_1.m4s", AuthCode: 200, IP: "192.0.2.1", Port: 4711,
	Headers: []Header{{"Host", "origin"}, {"User-Agent", "player/1.0"}, {"Accept", "*/*"}, {"Accept-Encoding", "gzip"}}}

// BenchmarkRequest is one scripted request that goes on as usual.
func BenchmarkRequest(b *testing.B) {
	e := benchEngine(b, "testdata/redirect.js")
	b.ReportAllocs()
	for b.Loop() {
		a, err := e.Request(b.Context(), benchRequest)
		if err != nil {
			b.Fatal(err)
		}
		a.Done(nil)
	}
}

// BenchmarkRequests is the same by many at a time.
func BenchmarkRequests(b *testing.B) {
	e := benchEngine(b, "testdata/redirect.js")
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a, err := e.Request(b.Context(), benchRequest)
			if err != nil {
				b.Error(err)
				return
			}
			a.Done(nil)
		}
	})
}

// BenchmarkRead is what a script streams, 64 KiB at a time.
func BenchmarkRead(b *testing.B) {
	e := benchEngine(b, "testdata/endless.js")
	a, err := e.Request(b.Context(), benchRequest)
	if err != nil {
		b.Fatal(err)
	}
	defer a.Done(nil)
	p := make([]byte, maxBuffer)
	b.SetBytes(maxBuffer)
	for b.Loop() {
		if n, err := a.Read(b.Context(), p); n != len(p) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkNew is a start, as for a script that has changed.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		e, err := New(Options{Path: "testdata/redirect.js"})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEntry is the child's part of a request alone.
func BenchmarkEntry(b *testing.B) {
	source, err := readSource("testdata/redirect.js")
	if err != nil {
		b.Fatal(err)
	}
	m := loadMsg{path: "redirect.js", source: source, time: DefaultTime, memory: 1 << 40, unwatched: true}
	h := newHost(m, io.Discard)
	if !h.load(frame{}, m) {
		b.Fatal("not loaded")
	}
	f := frame{kind: kindRequest, body: benchRequest.encode()}
	b.ReportAllocs()
	for b.Loop() {
		f.id++
		h.handle(f)
	}
}
