package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/headwater-origin/headwater/origin/framing"
)

const (
	readBytes = 64 << 10
	// sniffBytes are enough to tell a format by, and sniffTime is how long they
	// are waited for.
	sniffBytes = 4 << 10
	sniffTime  = 500 * time.Millisecond
)

// source is what is known of a connection beforehand.
type source struct {
	name, contentType string
	paced             bool
	followed          bool // another one goes on where it ends
}

// pump is the way of one connection's bytes: framer, pacer, row.
type pump struct {
	relay  *Relay
	src    source
	framer framing.Framer
	format framing.Format
	learn  learner
	batch  []framing.Frame
	bytes  int  // in batch
	warned bool // that it cannot be paced
}

// pump takes all of a connection. It returns nil when that ends with io.EOF.
func (r *Relay) pump(ctx context.Context, in io.Reader, src source) error {
	r.conn++
	p := &pump{relay: r, src: src}
	defer r.row.breakOff()
	buf := make([]byte, readBytes)
	first, err := p.sniff(in, buf)
	p.begin(first)
	p.framer.Push(first)
	for {
		if failed := p.forward(ctx); failed != nil {
			return failed
		}
		if err != nil {
			return p.finish(ctx, err)
		}
		var n int
		n, err = in.Read(buf)
		r.received(n)
		p.framer.Push(buf[:n])
	}
}

// sniff reads as much as it takes to tell the format.
func (p *pump) sniff(in io.Reader, buf []byte) (first []byte, err error) {
	n := 0
	var began time.Time
	for err == nil {
		var m int
		m, err = in.Read(buf[n:])
		if n += m; began.IsZero() && n > 0 {
			began = time.Now()
		}
		p.relay.received(m)
		if p.known(buf[:n]) || n >= sniffBytes || n > 0 && time.Since(began) > sniffTime {
			break
		}
	}
	return buf[:n], err
}

// known says whether the format is told by what there is; Raw may be a better
// known format yet.
func (p *pump) known(first []byte) bool {
	if f := p.relay.opt.Format; f != nil {
		p.format = *f
		return true
	}
	p.format = p.relay.detect(p.name(), p.contentType(), first)
	return p.format != framing.Raw || isText(first)
}

// leastText is how many bytes of text are certainly not the beginning of a
// transport packet, whose first byte is a G.
const leastText = 5

// isText says that the bytes are of none of the formats, whose frames all hold
// other bytes from the beginning on.
func isText(first []byte) bool {
	const tag = "ID3"
	if n := min(len(first), len(tag)); len(first) < leastText && (bytes.HasPrefix(first, []byte("G")) || string(first[:n]) == tag[:n]) {
		return false
	}
	for _, c := range first {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return len(first) > 0 && utf8.Valid(first) && !bytes.HasPrefix(first, []byte("ID3"))
}

func (p *pump) contentType() string {
	if given := p.relay.opt.ContentType; given != "" {
		return given
	}
	switch base, _, _ := strings.Cut(p.src.contentType, ";"); strings.ToLower(strings.TrimSpace(base)) {
	case "application/octet-stream", "application/x-www-form-urlencoded": // what programs send that know nothing
		return ""
	}
	return p.src.contentType
}

// name returns the name whose extension may tell the format: the resource's, else
// the input's.
func (p *pump) name() string {
	if path.Ext(p.relay.opt.Name) == "" && path.Ext(p.src.name) != "" {
		return p.src.name
	}
	return p.relay.opt.Name
}

// begin starts the framer anew and decides how the connection is paced.
func (p *pump) begin(first []byte) {
	r := p.relay
	p.framer = r.framer(p.format)
	p.learn = learner{relay: r}
	p.learn.begin(p.format, p.name(), p.contentType(), first)
	r.pacer.begin(r.opt.Rate)
}

// forward publishes every whole frame, when it is due.
func (p *pump) forward(ctx context.Context) error {
	for {
		f, ok := p.framer.Next()
		if !ok {
			return p.flush(ctx)
		}
		if err := p.add(ctx, f); err != nil {
			return err
		}
	}
}

// add waits until the frame is due and puts it to the others.
func (p *pump) add(ctx context.Context, f framing.Frame) error {
	p.learn.frame(f)
	if p.src.paced {
		if d := p.relay.pacer.until(f, time.Now()); d > 0 {
			if err := p.flush(ctx); err != nil {
				return err
			}
			if err := sleep(ctx, d); err != nil {
				return err
			}
		}
	}
	p.batch = append(p.batch, f)
	if p.bytes += len(f.Data); p.bytes >= batchBytes {
		return p.flush(ctx)
	}
	return nil
}

// flush publishes what is gathered.
func (p *pump) flush(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(p.batch) == 0 {
		return nil
	}
	// What should be paced and cannot be would go out all at once otherwise.
	unpaced := p.src.paced && !p.relay.pacer.began
	if unpaced && !p.warned {
		p.warned = true
		p.relay.opt.Log.Warn("relay input has no times to pace it by and goes as fast as its listeners take it; give a rate",
			"input", p.src.name)
	}
	if p.relay.opt.BlockIO || unpaced {
		if err := p.relay.waitSlowest(ctx); err != nil {
			return err
		}
	}
	if !p.relay.row.publish(p.relay.conn, p.batch) {
		return ErrStopped
	}
	p.relay.learned()
	p.relay.cutSlow()
	clear(p.batch) // the row decides how long the bytes live
	p.batch, p.bytes = p.batch[:0], 0
	return nil
}

// finish gives out what is left after a Read that returned why. The remains of
// what broke off are not whole frames, so they are left out; so is half a packet
// or box, since another connection may follow.
func (p *pump) finish(ctx context.Context, why error) error {
	ended := errors.Is(why, io.EOF)
	if f, ok := p.framer.Flush(); ok && (p.format == framing.Raw || ended && p.wholeTail(f)) {
		if err := p.add(ctx, f); err != nil {
			return err
		}
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	if ended {
		return nil
	}
	return fmt.Errorf("reading it: %w", why)
}

// wholeTail says whether the last bytes of a stream may be followed by another
// stream: no half packet, box or frame.
func (p *pump) wholeTail(f framing.Frame) bool {
	tail := f.Data
	switch p.format {
	case framing.MP3, framing.ADTS: // what is no frame may be half a one, or the tag of a file's end
		return f.Clean || !p.src.followed
	case framing.TS:
		return len(tail)%packetSize == 0
	case framing.FMP4:
		for len(tail) > 0 {
			var ok bool
			if _, _, tail, ok = nextBox(tail); !ok {
				return false
			}
		}
	}
	return true
}
