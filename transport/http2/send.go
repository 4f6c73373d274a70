package http2

import (
	"encoding/binary"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// sendMost is the largest DATA frame that is sent, whatever the peer allows: small
// streams come between the frames of large ones.
const sendMost = 16 << 10

func appendFrame(b []byte, length int, kind xhttp2.FrameType, flags xhttp2.Flags, id uint32) []byte {
	return append(b, byte(length>>16), byte(length>>8), byte(length), byte(kind), byte(flags),
		byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

// appendHead appends a header block as HEADERS and, if it is large, CONTINUATION frames.
func (c *Conn) appendHead(id uint32, fields []hpack.HeaderField, end bool) {
	b := c.out.open()
	at := len(b)
	flags := xhttp2.FlagHeadersEndHeaders
	if end {
		flags |= xhttp2.FlagHeadersEndStream
	}
	b = appendFrame(b, 0, xhttp2.FrameHeaders, flags, id)
	b = c.enc.block(b, fields)
	n := len(b) - at - frameHeaderBytes
	if n > c.peer.maxFrame {
		b = splitBlock(b, at, c.peer.maxFrame)
	} else {
		b[at], b[at+1], b[at+2] = byte(n>>16), byte(n>>8), byte(n)
	}
	c.out.done(b)
	c.tooMuch()
}

// splitBlock makes CONTINUATION frames of what is too much for the HEADERS frame at b[at:].
func splitBlock(b []byte, at, most int) []byte {
	block := append([]byte(nil), b[at+frameHeaderBytes:]...)
	id := binary.BigEndian.Uint32(b[at+5:])
	end := xhttp2.Flags(b[at+4]) & xhttp2.FlagHeadersEndStream
	b = appendFrame(b[:at], most, xhttp2.FrameHeaders, end, id)
	b = append(b, block[:most]...)
	for block = block[most:]; len(block) > 0; {
		n := min(most, len(block))
		var flags xhttp2.Flags
		if n == len(block) {
			flags = xhttp2.FlagContinuationEndHeaders
		}
		b = appendFrame(b, n, xhttp2.FrameContinuation, flags, id)
		b = append(b, block[:n]...)
		block = block[n:]
	}
	return b
}

// appendNow appends as much of p as can go now, and the end if all of it goes.
func (c *Conn) appendNow(s *Stream, p []byte, end bool) (sent int) {
	for {
		rest := len(p) - sent
		if rest == 0 && (sent > 0 || !end || s.outEnd) {
			return sent
		}
		n := int(min(int64(rest), int64(c.peer.maxFrame), sendMost, s.sendWin, c.sendWin))
		if rest > 0 && (n <= 0 || c.out.size() >= dataBytes) {
			return sent
		}
		n = max(n, 0) // an empty frame needs no window, not even one that is not negative
		c.appendData(s, p[sent:sent+n], end && n == rest, n == rest)
		sent += n
	}
}

// dribble: a peer that lets data out in pieces below that spends its budget of frames
// (CVE-2019-9511). Linkerd gives windows back in pieces of 655 bytes.
const dribble = 256

// appendData appends one frame. whole: no window has cut it.
func (c *Conn) appendData(s *Stream, p []byte, end, whole bool) {
	var flags xhttp2.Flags
	if end {
		flags = xhttp2.FlagDataEndStream
		s.outEnd = true
	}
	b := appendFrame(c.out.open(), len(p), xhttp2.FrameData, flags, s.id)
	c.out.done(append(b, p...))
	s.sendWin -= int64(len(p))
	c.sendWin -= int64(len(p))
	if whole || len(p) >= dribble {
		c.control.earn(4 + int64(len(p)>>9)) // the WINDOW_UPDATE frames that answer it are of use
	}
}

func (c *Conn) appendReset(id uint32, code xhttp2.ErrCode) {
	b := appendFrame(c.out.open(), 4, xhttp2.FrameRSTStream, 0, id)
	c.out.done(binary.BigEndian.AppendUint32(b, uint32(code)))
	c.tooMuch()
}

func (c *Conn) appendWindow(id, n uint32) {
	b := appendFrame(c.out.open(), 4, xhttp2.FrameWindowUpdate, 0, id)
	c.out.done(binary.BigEndian.AppendUint32(b, n))
}

func (c *Conn) appendPing(ack bool, data []byte) {
	var flags xhttp2.Flags
	if ack {
		flags = xhttp2.FlagPingAck
	}
	b := appendFrame(c.out.open(), 8, xhttp2.FramePing, flags, 0)
	c.out.done(append(b, data[:8]...))
	c.tooMuch()
}

func (c *Conn) appendGoAway(last uint32, code xhttp2.ErrCode, debug string) {
	b := appendFrame(c.out.open(), 8+len(debug), xhttp2.FrameGoAway, 0, 0)
	b = binary.BigEndian.AppendUint32(b, last)
	b = binary.BigEndian.AppendUint32(b, uint32(code))
	c.out.done(append(b, debug...))
}

// tooMuch ends a connection whose peer makes this side answer and takes no answers.
func (c *Conn) tooMuch() {
	if c.out.size() > mostBytes {
		c.fail(&ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "answers are not taken"})
	}
}

// resetLocked sends RST_STREAM and forgets the stream.
func (c *Conn) resetLocked(s *Stream, code xhttp2.ErrCode) {
	c.appendReset(s.id, code)
	c.resets.add(s.id)
	c.remove(s)
}
