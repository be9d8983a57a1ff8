// Package demo sends a live low-latency channel to an origin, as an encoder
// would: a clip of 8 s is looped without end, cut into CMAF chunks, and each
// chunk goes out at the moment its last frame would have been filmed.
//
// The timeline is fixed: media time 0 is [Anchor], segment N begins N segment
// durations later, and what is sent now is what belongs to now. All deadlines
// are absolute points of wall-clock time, so nothing adds up over hours, and a
// channel that is stopped and started again goes on with the numbers it would
// have reached. At the start the segments that are announced already are sent
// at once, so a player finds a full window from the first second on.
//
// Every segment of every track is one PUT with a chunked body that lasts as
// long as the segment does; one HTTP chunk is one CMAF chunk. A PUT that fails
// costs its segment and nothing else. Afterwards the init segments, the MPD
// and the multivariant playlist are sent again, in case the origin lost them.
// Old segments are left to the origin; it should keep 10 or more per track.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The names of the manifests under [Options.Base].
const (
	MPDName    = "live.mpd"
	MasterName = "master.m3u8"
)

// window is how many complete segments the manifests announce.
const window = 4

// Anchor is the time that media time 0 stands for, the MPD's
// availabilityStartTime. It is the day UTC took its present form, and not the
// Unix epoch, because ffmpeg takes an availabilityStartTime of 0 for none.
var Anchor = time.Date(1972, 1, 1, 0, 0, 0, 0, time.UTC)

// Options says where a channel goes and how it is cut.
type Options struct {
	// Base is the URL the channel is put under, such as
	// http://127.0.0.1:8080/demo. Required.
	Base string

	// Client does the requests. It must have no Timeout, since a PUT lasts as
	// long as its segment. The caller closes its idle connections. Default: one
	// made for the run.
	Client *http.Client

	// SegmentDuration is a whole number of seconds. Default: 2 s.
	SegmentDuration time.Duration

	// ChunkDuration is a multiple of 40 ms, one frame, of which
	// SegmentDuration is a multiple. Default: 200 ms.
	ChunkDuration time.Duration

	// TimeURL is where players ask for the time (UTCTiming http-iso), absolute
	// or relative to the MPD. Default: players take it from the Date header of
	// the MPD (http-head).
	TimeURL string

	// Progress is called when something has changed, from one goroutine. While
	// it runs, changes are gathered; the channel does not wait for it. Optional.
	Progress func(Progress)
}

// Progress is how a channel stands.
type Progress struct {
	Segment    int64         // number of the newest video segment begun
	ChunkDelay time.Duration // newest chunk, from being written here to being seen by a viewer of Base
	Errors     int           // requests that failed
	Bytes      int64         // bytes of media sent
	LastError  error         // of the newest request that failed; nil if none did
}

// Run sends the channel until ctx ends and then returns nil; a segment that
// is under way is cut off. It returns an error at once if o can't be used.
func Run(ctx context.Context, o Options) error {
	if err := o.complete(); err != nil {
		return fmt.Errorf("demo channel: %w", err)
	}
	tracks, err := loadClip()
	if err != nil {
		return fmt.Errorf("demo channel: %w", err)
	}
	if o.Client == nil {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8}
		defer transport.CloseIdleConnections()
		o.Client = &http.Client{Transport: transport}
	}
	newChannel(o, tracks, time.Now()).run(ctx)
	return nil
}

// complete fills in the defaults and checks the rest.
func (o *Options) complete() error {
	u, err := url.Parse(o.Base)
	if err != nil {
		return fmt.Errorf("base URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("base URL %q is not an http or https URL", o.Base)
	}
	o.Base = strings.TrimRight(o.Base, "/")
	if o.SegmentDuration == 0 {
		o.SegmentDuration = 2 * time.Second
	}
	if o.ChunkDuration == 0 {
		o.ChunkDuration = 200 * time.Millisecond
	}
	switch {
	case o.SegmentDuration < 0 || o.SegmentDuration%time.Second != 0:
		return errors.New("segment duration is not a whole number of seconds")
	case o.ChunkDuration < 0 || o.ChunkDuration%(40*time.Millisecond) != 0:
		return errors.New("chunk duration is not a multiple of 40 ms")
	case o.SegmentDuration%o.ChunkDuration != 0:
		return errors.New("segment duration is not a multiple of the chunk duration")
	}
	return nil
}
