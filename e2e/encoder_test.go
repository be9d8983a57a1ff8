package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// segDur is the length of a segment in the tests' channels, in seconds.
const segDur = 2

// source makes ffmpeg produce, in real time, 25 pictures and about 47 audio
// frames a second, with a key frame at the start of each segment.
func source() []string {
	return strings.Fields("-hide_banner -nostdin -v warning " +
		"-re -f lavfi -i testsrc2=size=640x360:rate=25 -re -f lavfi -i sine=frequency=440:sample_rate=48000 " +
		"-map 0:v -map 1:a -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -pix_fmt yuv420p " +
		"-g 50 -keyint_min 50 -sc_threshold 0 -b:v 800k -c:a aac -b:a 96k")
}

// push says how an encoder sends its channel.
type push struct {
	seconds    int  // length of the channel
	persistent bool // one connection per track instead of one per file
	del        bool // lists two segments and deletes what has left the list; else it deletes nothing
	stubborn   bool // goes on when the origin is away
}

func (p push) common() []string {
	args := []string{"-method", "PUT", "-http_persistent", "0"}
	if p.persistent {
		args[3] = "1"
	}
	if p.stubborn {
		args = append(args, "-ignore_io_errors", "1")
	}
	return args
}

// pushDASH starts a low-latency DASH channel that sends to url, its MPD.
func pushDASH(t *testing.T, p push, url string) *child {
	t.Helper()
	args := append(source(), "-t", strconv.Itoa(p.seconds), "-f", "dash")
	args = append(args, strings.Fields("-ldash 1 -streaming 1 -use_template 1 -use_timeline 0")...)
	args = append(args, "-seg_duration", strconv.Itoa(segDur))
	if p.del {
		args = append(args, "-window_size", "2", "-extra_window_size", "1")
	} else {
		args = append(args, "-window_size", "5", "-extra_window_size", "100")
	}
	args = append(args, p.common()...)
	return start(t, nil, "ffmpeg", append(args, url)...)
}

// pushHLS starts an HLS channel of fMP4 segments that sends to url, its
// playlist; segments and init segment go beside it.
func pushHLS(t *testing.T, p push, url string) *child {
	t.Helper()
	folder := url[:strings.LastIndexByte(url, '/')+1]
	args := append(source(), "-t", strconv.Itoa(p.seconds), "-f", "hls", "-hls_segment_type", "fmp4")
	args = append(args, "-hls_time", strconv.Itoa(segDur))
	if p.del {
		args = append(args, "-hls_list_size", "2", "-hls_delete_threshold", "1", "-hls_flags", "delete_segments")
	} else {
		args = append(args, "-hls_playlist_type", "event")
	}
	args = append(args, "-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", folder+"seg%05d.m4s")
	args = append(args, p.common()...)
	return start(t, nil, "ffmpeg", append(args, url)...)
}

// dashNames lists the media segments of a track that ffmpeg's DASH muxer sends.
func dashNames(folder string, track, first, last int) []string {
	var names []string
	for n := first; n <= last; n++ {
		names = append(names, fmt.Sprintf("%s/chunk-stream%d-%05d.m4s", folder, track, n))
	}
	return names
}

// hlsNames lists the segments pushHLS makes, counted from 0.
func hlsNames(folder string, first, last int) []string {
	var names []string
	for n := first; n <= last; n++ {
		names = append(names, fmt.Sprintf("%s/seg%05d.m4s", folder, n))
	}
	return names
}
