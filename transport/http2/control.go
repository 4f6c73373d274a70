package http2

import (
	"encoding/binary"

	xhttp2 "golang.org/x/net/http2"
)

func (c *Conn) onPing(f frame, p []byte) error {
	switch {
	case f.id != 0:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "PING on a stream"}
	case len(p) != 8:
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "PING of other than 8 bytes"}
	}
	c.mu.Lock()
	defer c.unlock()
	if err := c.spend(); err != nil {
		return err
	}
	switch {
	case !f.flags.Has(xhttp2.FlagPingAck):
		c.appendPing(true, p)
	case string(p) == drainPing && c.alarm.drain != 0:
		c.refuse()
	}
	return nil
}

func (c *Conn) onPriority(f frame, p []byte) error {
	switch {
	case f.id == 0:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "PRIORITY on stream 0"}
	case len(p) != 5:
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "PRIORITY of other than 5 bytes"}
	case dependsOn(p) == f.id:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "a stream that depends on itself"}
	}
	return c.useless()
}

// dependsOn returns the stream at the beginning of a priority (RFC 9113 6.2, 6.3).
func dependsOn(p []byte) uint32 { return binary.BigEndian.Uint32(p) & (1<<31 - 1) }

func (c *Conn) onReset(f frame, p []byte) error {
	switch {
	case f.id == 0:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "RST_STREAM on stream 0"}
	case len(p) != 4:
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "RST_STREAM of other than 4 bytes"}
	}
	c.mu.Lock()
	s := c.streams[f.id]
	if s == nil {
		err := c.spend()
		c.mu.Unlock()
		if err != nil {
			return err
		}
		return c.onIdle(f)
	}
	c.ended.add(s.id)
	c.remove(s)
	ok := c.readAt-s.openedAt >= soon || c.resetting.spend(c.now)
	c.unlock()
	s.recv.Reset(s, &ResetError{Code: xhttp2.ErrCode(binary.BigEndian.Uint32(p)), Remote: true})
	return c.resetLimit(ok)
}

func (c *Conn) onGoAway(f frame, p []byte) error {
	switch {
	case f.id != 0:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "GOAWAY on a stream"}
	case len(p) < 8:
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "GOAWAY of less than 8 bytes"}
	}
	g := &GoAwayError{
		Code:  xhttp2.ErrCode(binary.BigEndian.Uint32(p[4:])),
		Last:  binary.BigEndian.Uint32(p) & (1<<31 - 1),
		Debug: string(p[8:min(len(p), 8+256)]),
	}
	c.mu.Lock()
	if err := c.spend(); err != nil {
		c.mu.Unlock()
		return err
	}
	c.life.goAway = g
	var unprocessed []*Stream
	if !c.server {
		c.leave()
		for id, s := range c.streams {
			if id > g.Last {
				unprocessed = append(unprocessed, s)
				c.resets.add(id)
				c.remove(s)
			}
		}
	}
	c.idle()
	c.unlock()
	for _, s := range unprocessed {
		s.recv.Reset(s, &ConnError{Err: g, Unprocessed: true})
	}
	return nil
}
