package http2

import (
	"fmt"
	"log/slog"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// openBlock is a header block whose CONTINUATION frames are still to come.
type openBlock struct {
	stream uint32 // 0: none is open
	end    bool   // END_STREAM
	frames uint32
	b      []byte
}

func (c *Conn) onHeaders(f frame, p []byte) error {
	if f.id == 0 {
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "HEADERS on stream 0"}
	}
	if f.flags.Has(xhttp2.FlagHeadersPadded) {
		if len(p) == 0 || int(p[0]) > len(p)-1 {
			return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "more padding than frame"}
		}
		p = p[1 : len(p)-int(p[0])]
	}
	if f.flags.Has(xhttp2.FlagHeadersPriority) {
		switch {
		case len(p) < 5:
			return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "HEADERS too short for its priority"}
		case dependsOn(p) == f.id:
			return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "a stream that depends on itself"}
		}
		p = p[5:]
	}
	end := f.flags.Has(xhttp2.FlagHeadersEndStream)
	if f.flags.Has(xhttp2.FlagHeadersEndHeaders) {
		return c.onBlock(f.id, p, end)
	}
	c.block = openBlock{stream: f.id, end: end, b: append(c.block.b[:0], p...)}
	c.mu.Lock()
	c.alarm.block = c.now() + c.o.SettingsTimeout
	c.setAlarm()
	c.mu.Unlock()
	return nil
}

func (c *Conn) onContinuation(f frame, p []byte) error {
	if c.block.stream == 0 {
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "CONTINUATION without HEADERS"}
	}
	c.block.frames++
	c.block.b = append(c.block.b, p...)
	if c.block.frames > c.o.MaxContinuations || uint64(len(c.block.b)) > 2*uint64(c.o.headerListLimit()) {
		return &ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "header block too long"}
	}
	if !f.flags.Has(xhttp2.FlagContinuationEndHeaders) {
		return nil
	}
	b := c.block
	c.block = openBlock{}
	c.mu.Lock()
	c.alarm.block = 0
	c.mu.Unlock()
	return c.onBlock(b.stream, b.b, b.end)
}

// onBlock is called with a complete header block. It is decoded whatever becomes of it:
// the table of the connection depends on it.
func (c *Conn) onBlock(id uint32, block []byte, end bool) error {
	fields, tooLarge, err := c.headers.read(block)
	if err != nil {
		return err
	}
	c.mu.Lock()
	s := c.streams[id]
	if s != nil {
		if s.inEnd {
			return c.breachLocked(s, xhttp2.ErrCodeStreamClosed, "HEADERS after the end")
		}
		c.mu.Unlock()
		switch {
		case tooLarge:
			return c.breach(s, xhttp2.ErrCodeEnhanceYourCalm, "header list too large")
		case c.server || s.gotHead:
			return c.onTrailer(s, fields, end)
		}
		return c.onResponse(s, fields, end)
	}
	if !c.server {
		c.mu.Unlock()
		return c.onIdle(frame{kind: xhttp2.FrameHeaders, id: id})
	}
	s, err = c.accepted(id, end)
	if s == nil || err != nil {
		c.unlock()
		return err
	}
	c.unlock()
	return c.onRequest(s, fields, end, tooLarge)
}

// accepted makes the stream that a client opens; nil: it is refused or ignored.
func (c *Conn) accepted(id uint32, end bool) (*Stream, error) {
	switch {
	case id%2 == 0:
		return nil, &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "stream with an even id"}
	case c.resets.has(id):
		return nil, c.spend() // sent before the peer knew of the reset
	case c.ended.has(id):
		return nil, &ProtocolError{Code: xhttp2.ErrCodeStreamClosed, Reason: fmt.Sprintf("HEADERS for stream %d, which is closed", id)}
	case id <= c.lastPeer:
		return nil, &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: fmt.Sprintf("stream %d after stream %d", id, c.lastPeer)}
	case c.life.goneAway || c.life.over || c.life.ending:
		return nil, c.spend() // the GOAWAY says that it is not processed
	}
	c.lastPeer = id
	if len(c.streams) >= int(c.o.MaxConcurrentStreams) {
		c.appendReset(id, xhttp2.ErrCodeRefusedStream)
		c.resets.add(id)
		return nil, c.spend()
	}
	s := c.newStream(id)
	s.inEnd, s.openedAt = end, c.readAt
	return s, nil
}

func (c *Conn) onRequest(s *Stream, fields []hpack.HeaderField, end, tooLarge bool) error {
	if tooLarge {
		return c.refuseFields(s)
	}
	h, reason := checkRequest(fields, c.o.ExtendedConnect)
	if reason == "" && end && h.length > 0 && !h.connect {
		reason = "content-length without a body"
	}
	if reason != "" {
		if c.o.Logger != nil {
			c.o.Logger.Debug("malformed request", slog.String("peer", c.nc.RemoteAddr().String()), slog.String("reason", reason))
		}
		return c.breach(s, xhttp2.ErrCodeProtocol, reason)
	}
	if !h.connect {
		s.bodyLeft = h.length
	}
	c.offer(s, fields, end)
	return nil
}

// refuseFields answers a request whose header list is too large.
func (c *Conn) refuseFields(s *Stream) error {
	err := s.SendHead([]hpack.HeaderField{{Name: ":status", Value: "431"}, {Name: "content-length", Value: "0"}}, true)
	if err != nil {
		return nil // the stream or the connection is gone, which its reader will see
	}
	s.Reset(xhttp2.ErrCodeNo)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resetLimit(c.resetting.spend(c.now))
}

// offer asks Accept and says whether somebody listens to the stream.
func (c *Conn) offer(s *Stream, fields []hpack.HeaderField, end bool) bool {
	r := c.accept(s, fields, end)
	c.mu.Lock()
	gone := s.gone
	switch {
	case r != nil:
		s.recv = r
		if s.movedEarly > 0 {
			c.moved(s, 0)
		}
	case gone:
	case s.outEnd: // answered without the request's body
		c.resetLocked(s, xhttp2.ErrCodeNo)
	case s.outClosing: // answered, but for what is queued
		s.recv = nobody{}
	default:
		c.resetLocked(s, xhttp2.ErrCodeRefusedStream)
	}
	c.unlock()
	return r != nil && !gone
}

func (c *Conn) onResponse(s *Stream, fields []hpack.HeaderField, end bool) error {
	h, reason := checkResponse(fields)
	informational := h.status < 200
	if reason == "" && end && informational {
		reason = "interim response that ends the stream"
	}
	s.gotHead = !informational
	if s.gotHead {
		s.noBody = s.noBody || h.status == 204 || h.status == 304
		if !s.noBody && !s.connect {
			s.bodyLeft = h.length
		}
		if reason == "" && end && s.bodyLeft > 0 {
			reason = "content-length without a body"
		}
	}
	if reason != "" {
		return c.breach(s, xhttp2.ErrCodeProtocol, reason)
	}
	if r := c.arrived(s, end); r != nil {
		r.Head(s, fields, end)
	}
	return nil
}

func (c *Conn) onTrailer(s *Stream, fields []hpack.HeaderField, end bool) error {
	reason := checkTrailer(fields)
	switch {
	case reason != "":
	case !end:
		reason = "HEADERS within a body"
	case s.bodyLeft > 0:
		reason = "less data than content-length"
	}
	if reason != "" {
		return c.breach(s, xhttp2.ErrCodeProtocol, reason)
	}
	if r := c.arrived(s, true); r != nil {
		r.Trailer(s, fields)
	}
	return nil
}

// arrived notes what the peer has sent and returns who is to be told; nil: nobody any
// more.
func (c *Conn) arrived(s *Stream, end bool) Receiver {
	c.mu.Lock()
	defer c.unlock()
	if s.gone {
		return nil
	}
	c.control.earn(1)
	if end {
		s.inEnd = true
		c.ends(s)
	}
	return s.recv
}
