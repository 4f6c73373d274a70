package http2

import (
	xhttp2 "golang.org/x/net/http2"
)

func (c *Conn) onData(f frame, p []byte) error {
	if f.id == 0 {
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "DATA on stream 0"}
	}
	pad := 0
	if f.flags.Has(xhttp2.FlagDataPadded) {
		if len(p) == 0 || int(p[0]) > len(p)-1 {
			return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "more padding than frame"}
		}
		pad = int(p[0]) + 1
		p = p[1 : len(p)-int(p[0])]
	}
	end := f.flags.Has(xhttp2.FlagDataEndStream)
	c.mu.Lock()
	err := c.received(f.length)
	if err == nil {
		if len(p) > 0 || end {
			c.control.earn(1)
		} else {
			err = c.spend()
		}
	}
	if err != nil {
		c.unlock()
		return err
	}
	s := c.streams[f.id]
	if s == nil {
		return c.lateData(f)
	}
	code, reason := s.admit(f.length, len(p), end)
	if code != xhttp2.ErrCodeNo {
		return c.breachLocked(s, code, reason)
	}
	s.held += int(f.length)
	if end {
		s.inEnd = true
		c.ends(s)
	} else {
		c.consume(s, pad)
	}
	r := s.recv
	c.unlock()
	if len(p) > 0 || end {
		r.Data(s, p, end)
	}
	return nil
}

// admit applies the rules to a DATA frame; size counts the padding.
func (s *Stream) admit(size uint32, n int, end bool) (xhttp2.ErrCode, string) {
	if s.inEnd {
		return xhttp2.ErrCodeStreamClosed, "DATA after the end"
	}
	// An empty frame needs no window (RFC 9113 6.9.1), which is below zero where SETTINGS
	// have made it smaller than what was under way.
	if s.recvWin -= int64(size); s.recvWin < 0 && size > 0 {
		return xhttp2.ErrCodeFlowControl, "more data than the stream's window"
	}
	switch {
	case !s.conn.server && !s.gotHead:
		return xhttp2.ErrCodeProtocol, "DATA before HEADERS"
	case n > 0 && s.noBody && s.gotHead:
		return xhttp2.ErrCodeProtocol, "DATA of a response that has none"
	}
	if s.bodyLeft >= 0 {
		s.bodyLeft -= int64(n)
		if s.bodyLeft < 0 || end && s.bodyLeft > 0 {
			return xhttp2.ErrCodeProtocol, "other data than content-length"
		}
	}
	return xhttp2.ErrCodeNo, ""
}

// lateData is for DATA of a stream that is not open. It lets go of the lock.
func (c *Conn) lateData(f frame) error {
	err := c.spend()
	known := c.resets.has(f.id) || !c.server || c.life.goneAway && f.id > c.life.last
	c.unlock()
	if err != nil || known && !c.unopened(f.id) {
		return err
	}
	if err := c.onIdle(f); err != nil {
		return err
	}
	c.mu.Lock()
	c.appendReset(f.id, xhttp2.ErrCodeStreamClosed)
	ok := c.resetting.spend(c.now)
	c.unlock()
	return c.resetLimit(ok)
}

// unopened is neverOpened but for streams that a GOAWAY frame made be ignored.
func (c *Conn) unopened(id uint32) bool {
	c.mu.Lock()
	ignored := c.life.goneAway && id > c.life.last
	c.mu.Unlock()
	return !ignored && c.neverOpened(id)
}
