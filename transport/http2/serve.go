package http2

import (
	"bytes"
	"fmt"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// Serve reads until the connection ends, calls the events, and returns why it ended: nil
// if it ended after Drain or Close or by the peer's orderly end. It is to be called
// once. When it returns the connection is closed and has no goroutine any more.
func (c *Conn) Serve() error {
	c.startAlarm()
	c.feeds.begin()
	c.openUpgraded()
	return c.finish(c.read())
}

// mostReads is how often more is read before what the events have written is flushed.
const mostReads = 4

// soon is the age below which a stream that its client resets counts as an attack's
// (CVE-2023-44487). Older ones are limited well enough by MaxConcurrentStreams.
const soon = 250 * time.Millisecond

func (c *Conn) read() error {
	reads := 0
	for {
		if err := c.frames(); err != nil {
			return err
		}
		// A socket tells, by pause, when there is nothing more to read. Until then the
		// writes wait, but not for ever.
		if reads++; c.in.socket == nil || reads >= mostReads {
			c.flush(c.in.socket != nil)
			reads = 0
		}
		if err := c.in.fill(); err != nil {
			return err
		}
		c.feeds.begin()
		c.readAt = c.now()
		if c.o.KeepAlive > 0 {
			c.lastRead.Store(int64(c.readAt))
		}
	}
}

// pause is called when the reader has to wait for its socket.
func (c *Conn) pause() {
	c.in.release()
	c.flush(false)
}

// frames handles what has been read completely.
func (c *Conn) frames() error {
	if !c.preface {
		if ok, err := c.readPreface(); !ok || err != nil {
			return err
		}
	}
	for {
		f, p, ok, tooLarge := c.in.next(c.o.frameLimit())
		switch {
		case tooLarge:
			return &ProtocolError{Code: xhttp2.ErrCodeFrameSize, Reason: fmt.Sprintf("%s frame of %d bytes", f.kind, f.length)}
		case !ok:
			return nil
		}
		if err := c.handle(f, p); err != nil {
			return err
		}
	}
}

// readPreface refuses at the first byte that does not belong.
func (c *Conn) readPreface() (bool, error) {
	in := c.in
	n := min(in.w-in.r, len(xhttp2.ClientPreface))
	if n == 0 {
		return false, nil
	}
	if !bytes.Equal(in.buf.b[in.r:in.r+n], []byte(xhttp2.ClientPreface)[:n]) {
		return false, &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "not the preface of HTTP/2"}
	}
	if n < len(xhttp2.ClientPreface) {
		return false, nil
	}
	in.r += n
	c.preface = true
	return true, nil
}

func (c *Conn) handle(f frame, p []byte) error {
	switch {
	case !c.settled && (f.kind != xhttp2.FrameSettings || f.flags.Has(xhttp2.FlagSettingsAck)):
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "the first frame is not SETTINGS"}
	case c.block.stream != 0 && (f.kind != xhttp2.FrameContinuation || f.id != c.block.stream):
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: f.kind.String() + " within a header block"}
	}
	switch f.kind {
	case xhttp2.FrameData:
		return c.onData(f, p)
	case xhttp2.FrameHeaders:
		return c.onHeaders(f, p)
	case xhttp2.FrameContinuation:
		return c.onContinuation(f, p)
	case xhttp2.FrameWindowUpdate:
		return c.onWindowUpdate(f, p)
	case xhttp2.FrameRSTStream:
		return c.onReset(f, p)
	case xhttp2.FrameSettings:
		return c.onSettings(f, p)
	case xhttp2.FramePing:
		return c.onPing(f, p)
	case xhttp2.FrameGoAway:
		return c.onGoAway(f, p)
	case xhttp2.FramePriority:
		return c.onPriority(f, p)
	case xhttp2.FramePushPromise:
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: "PUSH_PROMISE, which is disabled"}
	default:
		return c.useless() // unknown frames are ignored (RFC 9113 4.1)
	}
}

// spend counts a frame that is of no use by itself. The lock is held.
func (c *Conn) spend() error {
	if c.control.spend(c.now) {
		return nil
	}
	return &ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "too many frames that carry nothing"}
}

// useless is spend without the lock.
func (c *Conn) useless() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spend()
}

// onIdle is for frames of streams that are not open: those that were never opened are an
// error of the connection, the others come too late and are ignored.
func (c *Conn) onIdle(f frame) error {
	if c.neverOpened(f.id) {
		return &ProtocolError{Code: xhttp2.ErrCodeProtocol, Reason: fmt.Sprintf("%s for stream %d, which is idle", f.kind, f.id)}
	}
	return nil
}

func (c *Conn) neverOpened(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server {
		return id > c.lastPeer || id%2 == 0
	}
	return id >= c.nextID || id%2 == 0
}

// breach ends a stream whose peer broke a rule.
func (c *Conn) breach(s *Stream, code xhttp2.ErrCode, reason string) error {
	c.mu.Lock()
	if s.gone {
		c.mu.Unlock()
		return nil
	}
	return c.breachLocked(s, code, reason)
}

// breachLocked is breach with the lock held since the stream was found, so that the
// application cannot end it in between, and the peer hears of what it did. It lets go of
// the lock.
func (c *Conn) breachLocked(s *Stream, code xhttp2.ErrCode, reason string) error {
	c.resetLocked(s, code)
	ok := c.resetting.spend(c.now)
	recv := s.recv
	c.unlock()
	if recv != nil {
		recv.Reset(s, &ResetError{Code: code, Reason: reason})
	}
	return c.resetLimit(ok)
}

func (c *Conn) resetLimit(ok bool) error {
	if ok || !c.server {
		return nil
	}
	return &ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "too many streams reset"}
}
