package http1

import (
	"time"
)

// idleGrace is how long a connection keeps its goroutine, whose stack has grown, without
// a byte coming.
const idleGrace = 100 * time.Millisecond

// preface is how HTTP/2 begins (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// doze waits for a byte without a buffer.
func (c *serverConn) doze() {
	var err error
	if c.deadline.socket != nil {
		err = c.first(c.idleEnd(0))
	} else if _, err = c.deadline.read(c.one[:], c.idleEnd(0)); err == nil {
		c.received(1)
		c.pending = true
	}
	if err != nil {
		c.gone(err)
		c.end()
		return
	}
	c.run()
}

// idleEnd returns when to stop waiting for a request: after grace, if that is not zero,
// when it has been idle for too long, or when its life is over.
func (c *serverConn) idleEnd(grace time.Duration) time.Time {
	var at time.Time
	if grace > 0 {
		at = c.idle.Add(grace)
	}
	if t := c.srv.o.IdleTimeout; t > 0 && (at.IsZero() || t < grace) {
		at = c.idle.Add(t)
	}
	if !c.ends.IsZero() && (at.IsZero() || c.ends.Before(at)) {
		at = c.ends
	}
	return at
}

// gone sorts out why nothing came.
func (c *serverConn) gone(err error) {
	if !isDeadline(err) {
		c.traffic.failedRead(err)
		return
	}
	if now := time.Now(); !c.ends.IsZero() && !now.Before(c.ends) {
		c.reason = ClosedByLife
	} else {
		c.reason = ClosedIdle
	}
}

// What await found.
type found uint8

const (
	gone    found = iota // the connection has ended
	quiet                // nothing came
	ready                // the first byte of a request
	foreign              // the preface of HTTP/2
)

// await waits for the first bytes of a request.
func (c *serverConn) await() found {
	if c.work == nil || len(c.work.reader.buffered()) == 0 {
		if err := c.first(c.idleEnd(idleGrace)); err != nil {
			if now := time.Now(); isDeadline(err) && !c.over(now) {
				return quiet
			}
			c.gone(err)
			return gone
		}
	}
	if !c.state.CompareAndSwap(connIdle, connActive) {
		return gone
	}
	r := &c.work.reader
	c.work.by = time.Time{}
	c.work.inHead = true
	if !c.served {
		c.served = true
		if c.srv.o.Preface != nil && c.tls == nil && c.beginsWith(preface) {
			return foreign
		}
	}
	// RFC 9112 §2.2: one empty line is ignored, which old browsers send after a body.
	if c.beginsWith("\r\n") {
		r.take(2)
		if len(r.buffered()) == 0 {
			c.work.inHead = false
			c.state.Store(connIdle)
			if c.srv.draining.Load() {
				return gone
			}
			return c.await()
		}
	}
	return ready
}

// first reads the first bytes of a request. While it waits for them at a socket, the
// connection has neither buffers nor anything else of a request: those are used by
// connections that have something to do, and are in the processor's cache for that.
func (c *serverConn) first(by time.Time) error {
	if c.deadline.socket == nil || c.pending {
		if c.work == nil {
			c.attach()
		}
		c.work.by = by
		return c.work.reader.fill()
	}
	n, err := c.deadline.read(nil, by)
	if err != nil {
		return err
	}
	c.received(int64(n))
	c.work.reader.w = n
	return nil
}

// room returns where to read the first bytes to.
func (c *serverConn) room() []byte {
	if c.work == nil {
		c.attach()
	}
	r := &c.work.reader
	if r.buf == nil {
		r.buf = make([]byte, bufferSize)
	}
	r.r, r.w = 0, 0
	return r.buf
}

// rest gives the workspace back for as long as nothing comes.
func (c *serverConn) rest() {
	w := c.work
	if w == nil {
		return
	}
	c.work = nil
	if len(w.reader.buf) > keepBuffer {
		w.reader.buf = nil
	}
	w.by, w.inHead, w.inBody = time.Time{}, false, false
	c.srv.workspaces.Put(w)
}

// over reports whether an idle connection is to be closed.
func (c *serverConn) over(now time.Time) bool {
	t := c.srv.o.IdleTimeout
	return t > 0 && now.Sub(c.idle) >= t || !c.ends.IsZero() && !now.Before(c.ends)
}

// beginsWith reports whether the request begins with text, waiting for more of it as long
// as it may.
func (c *serverConn) beginsWith(text string) bool {
	r := &c.work.reader
	for {
		have := r.buffered()
		n := min(len(have), len(text))
		if string(have[:n]) != text[:n] {
			return false
		}
		if n == len(text) {
			return true
		}
		if r.fill() != nil {
			return false // whoever reads next hears of it
		}
	}
}
