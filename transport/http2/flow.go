package http2

import (
	"encoding/binary"

	xhttp2 "golang.org/x/net/http2"
)

// consume counts what the receiver has passed on and gives it back when enough has come
// together.
func (c *Conn) consume(s *Stream, n int) {
	n = min(n, s.held)
	if n <= 0 {
		return
	}
	s.held -= n
	s.back += n
	c.giveBack(s)
}

// giveBack updates the peer's window if enough of it is free.
func (c *Conn) giveBack(s *Stream) {
	if s.inEnd || s.gone || s.back == 0 {
		return
	}
	if w := float64(c.recvStart); float64(s.back) >= w*(1-c.o.WindowUpdateRatio) {
		s.recvWin += int64(s.back)
		c.appendWindow(s.id, uint32(s.back))
		s.back = 0
	}
}

// received counts a DATA frame against the connection's window, which is refilled
// whatever becomes of the data: back-pressure is the streams' business.
func (c *Conn) received(n uint32) error {
	c.recvWin -= int64(n)
	if c.recvWin < 0 {
		return &ProtocolError{Code: xhttp2.ErrCodeFlowControl, Reason: "more data than the connection's window"}
	}
	c.recvBack += n
	if c.recvBack >= c.o.ConnWindow/2 {
		c.recvWin += int64(c.recvBack)
		c.appendWindow(0, c.recvBack)
		c.recvBack = 0
	}
	return nil
}

func (c *Conn) onWindowUpdate(f frame, p []byte) error {
	if len(p) != 4 {
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "WINDOW_UPDATE of other than 4 bytes"}
	}
	n := int64(binary.BigEndian.Uint32(p) & (1<<31 - 1))
	c.mu.Lock()
	if err := c.spend(); err != nil {
		c.mu.Unlock()
		return err
	}
	if f.id == 0 {
		c.sendWin += n
		over := c.sendWin > windowMost
		if !over {
			c.pump()
		}
		c.unlock()
		switch {
		case n == 0:
			return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "WINDOW_UPDATE of 0"}
		case over:
			return &ProtocolError{Code: xhttp2.ErrCodeFlowControl, Reason: "the connection's window overflows"}
		}
		return nil
	}
	s := c.streams[f.id]
	if s == nil {
		c.mu.Unlock()
		return c.onIdle(f)
	}
	code := xhttp2.ErrCodeNo
	switch s.sendWin += n; {
	case n == 0:
		code = xhttp2.ErrCodeProtocol
	case s.sendWin > windowMost:
		code = xhttp2.ErrCodeFlowControl
	default:
		c.makeReady(s)
	}
	if code != xhttp2.ErrCodeNo {
		return c.breachLocked(s, code, "WINDOW_UPDATE of 0, or too large")
	}
	c.unlock()
	return nil
}
