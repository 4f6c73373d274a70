package http2

import (
	"encoding/binary"
	"fmt"

	xhttp2 "golang.org/x/net/http2"
)

// hello appends what a side says first: its preface, SETTINGS and the connection's
// window.
func (c *Conn) hello() {
	b := c.out.open()
	if !c.server {
		b = append(b, xhttp2.ClientPreface...)
	}
	at := len(b)
	b = appendFrame(b, 0, xhttp2.FrameSettings, 0, 0)
	set := func(id xhttp2.SettingID, v uint32) {
		b = binary.BigEndian.AppendUint16(b, uint16(id))
		b = binary.BigEndian.AppendUint32(b, v)
	}
	set0 := func(id xhttp2.SettingID, v uint32) {
		if v != 0 {
			set(id, v)
		}
	}
	if c.server {
		set(xhttp2.SettingMaxConcurrentStreams, c.o.MaxConcurrentStreams)
		if c.o.ExtendedConnect {
			set(xhttp2.SettingEnableConnectProtocol, 1)
		}
	} else {
		set(xhttp2.SettingEnablePush, 0)
	}
	set0(xhttp2.SettingInitialWindowSize, c.o.InitialWindow)
	set0(xhttp2.SettingHeaderTableSize, c.o.HeaderTableBytes)
	set0(xhttp2.SettingMaxFrameSize, c.o.MaxFrameBytes)
	set0(xhttp2.SettingMaxHeaderListSize, c.o.MaxHeaderListBytes)
	b[at+2] = byte(len(b) - at - frameHeaderBytes)
	c.out.done(b)
	if c.o.HeaderTableBytes > 4096 {
		c.headers.dec.SetAllowedMaxDynamicTableSize(c.o.HeaderTableBytes)
	}
	if more := c.o.ConnWindow - windowStart; more > 0 {
		c.recvWin += int64(more)
		c.appendWindow(0, more)
	}
}

func (c *Conn) onSettings(f frame, p []byte) error {
	switch {
	case f.id != 0:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "SETTINGS on a stream"}
	case f.flags.Has(xhttp2.FlagSettingsAck) && len(p) > 0, len(p)%6 != 0:
		return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: "SETTINGS of a wrong size"}
	}
	c.mu.Lock()
	defer c.unlock()
	if err := c.spend(); err != nil {
		return err
	}
	if f.flags.Has(xhttp2.FlagSettingsAck) {
		c.onSettingsAck()
		return nil
	}
	first := !c.settled
	if first {
		c.settled = true
		if !c.server {
			c.peer.maxStreams = 1<<32 - 1
		}
	}
	before := c.peer.initialWindow
	for ; len(p) > 0; p = p[6:] {
		if err := c.setting(xhttp2.SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])); err != nil {
			return err
		}
	}
	b := appendFrame(c.out.open(), 0, xhttp2.FrameSettings, xhttp2.FlagSettingsAck, 0)
	c.out.done(b)
	c.tooMuch()
	if c.peer.initialWindow > before { // after the acknowledgement: peers expect the data to follow it
		for _, s := range c.streams {
			c.makeReady(s)
		}
	}
	if !c.server && (first || c.due.wanted) && len(c.streams) < int(c.peer.maxStreams) {
		c.due.wanted, c.due.room, c.due.any = false, true, true
	}
	return nil
}

// onSettingsAck puts our values in force that the peer may not have known before.
func (c *Conn) onSettingsAck() {
	if c.acked {
		return
	}
	c.acked = true
	c.alarm.settings = 0
	if c.o.InitialWindow != 0 {
		by := int64(c.o.InitialWindow) - c.recvStart
		c.recvStart = int64(c.o.InitialWindow)
		for _, s := range c.streams {
			s.recvWin += by
			c.giveBack(s) // what was little of the old window may be much of the new one
		}
	}
	if n := c.o.HeaderTableBytes; n != 0 {
		c.headers.dec.SetAllowedMaxDynamicTableSize(n)
	}
}

func (c *Conn) setting(id xhttp2.SettingID, v uint32) error {
	bad := func(code xhttp2.ErrCode) error {
		return &ProtocolError{Code: code, Reason: fmt.Sprintf("setting %s of %d", id, v)}
	}
	switch id {
	case xhttp2.SettingHeaderTableSize:
		c.enc.setMax(v)
	case xhttp2.SettingEnablePush:
		if v > 1 || v == 1 && !c.server {
			return bad(xhttp2.ErrCodeProtocol)
		}
	case xhttp2.SettingMaxConcurrentStreams:
		c.peer.maxStreams = v
	case xhttp2.SettingInitialWindowSize:
		if v > windowMost {
			return bad(xhttp2.ErrCodeFlowControl)
		}
		return c.setWindow(int64(v))
	case xhttp2.SettingMaxFrameSize:
		if v < frameLeast || v > frameMost {
			return bad(xhttp2.ErrCodeProtocol)
		}
		c.peer.maxFrame = int(v)
	case xhttp2.SettingEnableConnectProtocol:
		if v > 1 || v == 0 && c.peer.connect {
			return bad(xhttp2.ErrCodeProtocol)
		}
		c.peer.connect = v == 1
	default: // unknown ones are ignored (RFC 9113 6.5.2)
	}
	return nil
}

// setWindow changes all streams' windows by the difference, also below zero (RFC 9113
// 6.9.2).
func (c *Conn) setWindow(v int64) error {
	by := v - c.peer.initialWindow
	c.peer.initialWindow = v
	if by == 0 {
		return nil
	}
	for _, s := range c.streams {
		s.sendWin += by
		if s.sendWin > windowMost {
			return &ProtocolError{Code: xhttp2.ErrCodeFlowControl, Reason: "a stream's window overflows by SETTINGS"}
		}
	}
	return nil
}
