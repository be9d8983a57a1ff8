package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// piece says that the first `upTo` bytes of a body had come at `at`.
type piece struct {
	at   time.Time
	upTo int
}

// download is one answered GET, as a bare socket saw it.
type download struct {
	path        string
	status      int
	header      http.Header
	chunked     bool
	body        []byte
	pieces      []piece
	asked, head time.Time // request sent; answer's head read
	err         error     // how the body ended, nil for a clean end
}

func (d *download) sum() [32]byte { return sha256.Sum256(d.body) }

// before returns how many bytes had come at a point in time.
func (d *download) before(at time.Time) int {
	n := 0
	for _, p := range d.pieces {
		if !p.at.After(at) {
			n = p.upTo
		}
	}
	return n
}

// viewer reads from the origin over one HTTP/1.1 connection that it keeps as
// long as the origin lets it. It is used by one goroutine.
type viewer struct {
	addr string // host:port
	conn net.Conn
	br   *bufio.Reader
}

func (v *viewer) close() {
	if v.conn != nil {
		_ = v.conn.Close()
		v.conn = nil
	}
}

func (v *viewer) dial(ctx context.Context) error {
	if v.conn != nil {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", v.addr)
	if err != nil {
		return err
	}
	v.conn, v.br = conn, bufio.NewReaderSize(conn, 256<<10)
	return nil
}

// get asks for path and reads the answer to its end. Header lines, if any, are
// complete lines without line ends. An error means that there was no answer.
func (v *viewer) get(ctx context.Context, path string, header ...string) (*download, error) {
	if err := v.dial(ctx); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = v.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	d, resp, err := v.ask(path, header)
	if err != nil {
		v.close()
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	d.read(resp.Body)
	if d.err != nil || resp.Close {
		v.close()
	}
	return d, nil
}

func (v *viewer) ask(path string, header []string) (*download, *http.Response, error) {
	head := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n", path, v.addr)
	for _, h := range header {
		head += h + "\r\n"
	}
	d := &download{path: path, asked: time.Now()}
	if _, err := io.WriteString(v.conn, head+"\r\n"); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(v.br, nil)
	if err != nil {
		return nil, nil, err
	}
	d.head, d.status, d.header = time.Now(), resp.StatusCode, resp.Header
	d.chunked = len(resp.TransferEncoding) == 1 && resp.TransferEncoding[0] == "chunked"
	return d, resp, nil
}

// read takes the body piece by piece as the socket gives it.
func (d *download) read(body io.Reader) {
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			d.body = append(d.body, buf[:n]...)
			d.pieces = append(d.pieces, piece{time.Now(), len(d.body)})
		}
		if err != nil {
			if !errors.Is(err, io.EOF) { // a broken transfer is io.ErrUnexpectedEOF
				d.err = err
			}
			return
		}
	}
}

// follow asks for one name after another, each as soon as the one before has
// ended, and returns what came. Only the first may be missing for a while: the
// channel may not live yet.
func follow(ctx context.Context, addr string, names []string) ([]*download, error) {
	v := &viewer{addr: addr}
	defer v.close()
	var got []*download
	for i, name := range names {
		d, err := v.get(ctx, name)
		for i == 0 && err == nil && d.status == http.StatusNotFound && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			d, err = v.get(ctx, name)
		}
		if err != nil {
			return got, err
		}
		got = append(got, d)
		if d.status != http.StatusOK || d.err != nil {
			return got, fmt.Errorf("GET %s: status %d, body's end: %w", name, d.status, errOrClean(d.err))
		}
	}
	return got, nil
}

var errClean = errors.New("clean")

func errOrClean(err error) error {
	if err == nil {
		return errClean
	}
	return err
}
