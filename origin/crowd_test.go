package origin

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// noise is text that no other seed gives.
func noise(n int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 2))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%x", r.Uint64())
	}
	return b.String()[:n]
}

// TestManyViewersGetTheSameBytes has viewers of all kinds join a file at any
// time: quick ones, ones whose sockets are full most of the time, ones that
// ask for a range, ones that leave, over HTTP/1.1 and HTTP/2.
func TestManyViewersGetTheSameBytes(t *testing.T) {
	s := start(t, withMount(func(m *Mount) { m.MaxLag = 0; m.MaxUpload = 0 }))
	data := noise(6<<20, 1)
	clients := s.clients()
	up := s.upload("/a-1.m4s")
	up.chunk(data[:100])
	s.growingFile("/a-1.m4s", 100)
	var viewers sync.WaitGroup
	join := func(i int) {
		switch i % 5 {
		case 0:
			viewers.Go(func() { s.watch(clients["HTTP/1.1"], 0, data) })
		case 1:
			viewers.Go(func() { s.watch(clients["h2c"], 0, data) })
		case 2:
			viewers.Go(func() { s.watchThroughANarrowSocket(data) })
		case 3:
			viewers.Go(func() { s.watch(clients["HTTP/1.1"], rand.Int64N(int64(len(data))), data) })
		case 4:
			viewers.Go(func() { s.watchAndLeave() })
		}
	}
	sent, i := 100, 0
	for sent < len(data) {
		join(i)
		i++
		n := min(1+rand.IntN(300_000), len(data)-sent)
		up.chunk(data[sent : sent+n])
		sent += n
	}
	if resp := up.end(); resp.StatusCode != 201 {
		t.Fatal(resp.Status)
	}
	viewers.Wait()
	eventually(t, "nobody watches", func() bool { return s.Stats().Viewers == 0 })
}

// watch reads the file from the offset to its end.
func (s *testServer) watch(client *http.Client, from int64, data string) {
	req, err := http.NewRequest(http.MethodGet, s.url+"/a-1.m4s", http.NoBody)
	if err != nil {
		s.t.Error(err)
		return
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-9007199254740991", from))
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer resp.Body.Close()
	s.compare(resp.Body, data[from:])
}

func (s *testServer) compare(r io.Reader, want string) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	if sum := sha256.Sum256([]byte(want)); err != nil || !bytes.Equal(h.Sum(nil), sum[:]) {
		s.t.Errorf("%d bytes, %v; want other %d", n, err, len(want))
	}
}

// watchThroughANarrowSocket fills its socket again and again.
func (s *testServer) watchThroughANarrowSocket(data string) {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "GET /a-1.m4s HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReaderSize(slowReader{c}, 4<<10), nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.compare(resp.Body, data)
}

func (s *testServer) watchAndLeave() {
	resp, err := s.client.Get(s.url + "/a-1.m4s")
	if err != nil {
		s.t.Error(err)
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, rand.Int64N(100_000))
	_ = resp.Body.Close()
}

// TestViewersOfEveryOutcome has many files grow at once, each of which is
// completed, replaced, evicted or failed while it is read. Whatever a viewer
// gets must be the bytes of one upload, and all of them unless the transfer
// broke.
func TestViewersOfEveryOutcome(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "directory": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withMount(func(m *Mount) {
				m.MaxCacheSegs = 1
				m.HoldTimeout = Duration(time.Second)
				if dir != "" {
					m.Store = dir
					m.MaxCacheSegs = -1
				}
			}))
			var all sync.WaitGroup
			for track := range 4 {
				all.Go(func() { s.churn(fmt.Sprintf("/t%d", track), uint64(track)) })
			}
			all.Wait()
			eventually(t, "nobody watches", func() bool { return s.Stats().Viewers == 0 })
		})
	}
}

// churn uploads segments of one track, some of them broken off or replaced,
// with viewers on each.
func (s *testServer) churn(dir string, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	var viewers sync.WaitGroup
	defer viewers.Wait()
	for n := 1; n <= 12; n++ {
		path := fmt.Sprintf("%s/seg-%d.m4s", dir, n)
		for version := range 1 + r.IntN(2) {
			data := fmt.Sprintf("%s#%d;", path, version) + noise(50_000, seed*1000+uint64(n*10+version))
			breaks := r.IntN(4) == 0
			up := s.upload(path)
			for rest := data; rest != ""; {
				k := min(1+r.IntN(9000), len(rest))
				if breaks && len(rest) < 20_000 {
					break
				}
				up.chunk(rest[:k])
				rest = rest[k:]
				if r.IntN(3) == 0 {
					viewers.Go(func() { s.checkWhole(path, seed*1000+uint64(n*10)) })
				}
			}
			if breaks {
				_ = up.Close()
				continue
			}
			if resp := up.end(); resp.StatusCode/100 != 2 {
				s.t.Errorf("PUT %s: %s", path, resp.Status)
			}
			_ = up.Close()
		}
	}
}

// checkWhole gets a segment: a transfer that ends well must have had all bytes
// of one upload.
func (s *testServer) checkWhole(path string, seed uint64) {
	resp, err := s.client.Get(s.url + path)
	if err != nil {
		return // broke before its headers
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		return
	}
	for version := range 2 {
		if string(got) == fmt.Sprintf("%s#%d;", path, version)+noise(50_000, seed+uint64(version)) {
			return
		}
	}
	s.t.Errorf("%s: %d bytes beginning %.30q are no upload's", path, len(got), got)
}

func TestACrowdEndsWithItsFile(t *testing.T) {
	s := start(t)
	for i := range 3 { // the crowds of files that are over must not pile up
		path := fmt.Sprintf("/a-%d.m4s", i)
		up := s.upload(path)
		up.chunk("begin ")
		s.growingFile(path, 6)
		_, resp := s.openGet(path)
		expect(t, resp.Body, "begin ")
		eventually(t, "it waits in the crowd", func() bool { return s.crowdCount() == 1 })
		up.end()
		_, _ = io.ReadAll(resp.Body)
		eventually(t, "the crowd is over", func() bool { return s.crowdCount() == 0 })
	}
}

func (s *testServer) crowdCount() int {
	cs := s.crowds
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.byFile)
}

func BenchmarkCrowdChunk(b *testing.B) {
	b.ReportAllocs()
	var f frame
	view := completeView(b, noise(4000, 1))
	for b.Loop() {
		f.set(view, 0, false)
		_ = f.bytesFor(true)
	}
}
