package e2e

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// slowPut is a curl upload whose body the test hands out piece by piece.
type slowPut struct {
	*child
	body *os.File
}

// startPut begins an upload of unknown length.
func (p curlProto) startPut(t *testing.T, path string) *slowPut {
	t.Helper()
	r, w, err := os.Pipe() // a file, so that curl's end is not held up by a copy into it
	if err != nil {
		t.Fatal(err)
	}
	// "-T ." is curl's way to send what there is without waiting for more
	args := append([]string{"-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", "."}, p.args...)
	c := start(t, r, "curl", append(args, p.base+path)...)
	_ = r.Close()
	t.Cleanup(func() { _ = w.Close() })
	return &slowPut{c, w}
}

func (u *slowPut) send(t *testing.T, data []byte) {
	t.Helper()
	if _, err := u.body.Write(data); err != nil {
		t.Fatalf("curl takes no more: %v\n%s", err, u.err)
	}
}

// startGet begins a download whose bytes appear in the child's out as they come.
func (p curlProto) startGet(t *testing.T, path string, args ...string) *child {
	t.Helper()
	args = append([]string{"-q", "-sS", "-N", "--max-time", "25"}, args...)
	return start(t, nil, "curl", append(append(args, p.args...), p.base+path)...)
}

// TestCurlGrowing proves the live path by the order of events alone: each piece
// is sent only after a reader had the piece before, over every protocol and from
// one to the other.
func TestCurlGrowing(t *testing.T) {
	t.Parallel()
	s := serveBoth(t)
	protos := curlProtos(s)
	eachProto(t, s, func(t *testing.T, p curlProto, dir string) {
		path := dir + "/seg-1.m4s"
		up := p.startPut(t, path)
		pieces := [][]byte{pattern(3000, 1), pattern(40_000, 2), pattern(70, 3)}
		up.send(t, pieces[0])
		eventually(t, path+" growing", func() bool {
			return p.curl(t, nil, path, "-I").status == 200
		})
		var readers []*child
		for _, q := range protos {
			readers = append(readers, q.startGet(t, path), q.startGet(t, path, "-H", "Range: bytes=0-9007199254740991"))
		}
		var sent []byte
		for i, piece := range pieces {
			if i > 0 {
				up.send(t, piece)
			}
			sent = append(sent, piece...)
			for _, r := range readers {
				waitBytes(t, r, sent)
			}
		}
		_ = up.body.Close()
		if code := up.wait(t, patience); code != 0 || up.out.String() != "201" {
			t.Errorf("the upload: exit code %d, status %s", code, up.out)
		}
		for _, r := range readers {
			if code := r.wait(t, patience); code != 0 || r.out.String() != string(sent) {
				t.Errorf("a reader: exit code %d, %d of %d bytes\n%s", code, len(r.out.String()), len(sent), r.err)
			}
		}
	})
}

// waitBytes waits until a reader has exactly these bytes.
func waitBytes(t *testing.T, r *child, want []byte) {
	t.Helper()
	eventually(t, "the bytes sent so far at a reader", func() bool { return len(r.out.String()) >= len(want) })
	if !bytes.Equal([]byte(r.out.String()), want) {
		t.Fatalf("a reader has %d bytes that are not the %d sent so far", len(r.out.String()), len(want))
	}
}

// TestCurlBroken kills an upload half way: every reader must see its transfer
// break, in the manner of its protocol, and the name must be as it was before.
func TestCurlBroken(t *testing.T) {
	t.Parallel()
	s := serveBoth(t, "--hold-timeout", "1s")
	protos := curlProtos(s)
	eachProto(t, s, func(t *testing.T, p curlProto, dir string) {
		for path, before := range map[string][]byte{dir + "/fresh.m4s": nil, dir + "/known.m4s": pattern(5000, 9)} {
			if before != nil {
				p.put(t, path, before).want(t, p, "PUT", 201)
			}
			up := p.startPut(t, path)
			piece := pattern(30_000, 5)
			up.send(t, piece)
			eventually(t, path+" growing", func() bool {
				a := p.curl(t, nil, path, "-I")
				return a.status == 200 && a.header.Get("Content-Length") == ""
			})
			var readers []*child
			for _, q := range protos {
				r := q.startGet(t, path)
				waitBytes(t, r, piece)
				readers = append(readers, r)
			}
			up.kill()
			for i, r := range readers {
				if code := r.wait(t, patience); !slices.Contains(protos[i].broken, code) {
					t.Errorf("%s: exit code %d of a reader of a broken upload, want one of %v", protos[i].name, code, protos[i].broken)
				}
			}
			mustBeAsBefore(t, p, path, before)
		}
	})
}

func mustBeAsBefore(t *testing.T, p curlProto, path string, before []byte) {
	t.Helper()
	a := p.curl(t, nil, path)
	if before == nil {
		a.want(t, p, "GET after a failed upload", 404)
		return
	}
	a.want(t, p, "GET after a failed replacement", 200)
	if !bytes.Equal(a.body, before) {
		t.Errorf("%s: %d bytes that are not the version before", path, len(a.body))
	}
}

// TestCurlLimitRate has one curl send slowly and others read at once. Their
// answers must begin in the first half of the upload, and be whole.
func TestCurlLimitRate(t *testing.T) {
	t.Parallel()
	s := serveBoth(t)
	data := pattern(300_000, 6)
	for _, p := range curlProtos(s) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			path := "/live/slow-" + p.name[:2] + p.name[len(p.name)-1:] + ".m4s"
			sent := make(chan answer, 1)
			go func() { sent <- p.curl(t, bytes.NewReader(data), path, "-T", "-", "--limit-rate", "100k") }()
			eventually(t, path+" growing", func() bool { return p.curl(t, nil, path, "-I").status == 200 })
			got := p.curl(t, nil, path)
			up := <-sent
			up.want(t, p, "slow PUT", 201)
			got.want(t, p, "GET meanwhile", 200)
			if !bytes.Equal(got.body, data) {
				t.Errorf("%d bytes came that are not the %d sent", len(got.body), len(data))
			}
			if got.began > up.took/2 || got.took < up.took/4 {
				t.Errorf("the answer began after %v and took %v; the upload took %v", got.began, got.took, up.took)
			}
		})
	}
}
