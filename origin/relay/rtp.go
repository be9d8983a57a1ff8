package relay

import "encoding/binary"

// rtpMPEGTS is the payload type of MPEG-TS (RFC 3551, section 6).
const rtpMPEGTS = 33

// rtpPayload returns what an RTP packet of MPEG-TS carries (RFC 3550, section
// 5.1), nil for a broken one, and any other datagram as it is: the sync byte of
// a transport packet is no RTP version.
func rtpPayload(b []byte) []byte {
	if len(b) < 12 || b[0]>>6 != 2 || b[1]&0x7f != rtpMPEGTS {
		return b
	}
	head := 12 + 4*int(b[0]&0x0f) // contributing sources
	if b[0]&0x10 != 0 {           // extension
		if len(b) < head+4 {
			return nil
		}
		head += 4 + 4*int(binary.BigEndian.Uint16(b[head+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // padding
		end -= int(b[end-1])
	}
	if head > end {
		return nil
	}
	return b[head:end]
}
