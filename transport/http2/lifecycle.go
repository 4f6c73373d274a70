package http2

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// lifecycle is how far a connection is on its way to its end.
type lifecycle struct {
	draining bool // no new streams
	goneAway bool // server: the GOAWAY with the last stream id has been sent
	ending   bool // what is buffered is the last: shut follows
	shut     bool // the writing half has been closed
	over     bool // torn down, or just about to be
	failure  error
	last     uint32 // server: what that GOAWAY said
	goAway   *GoAwayError
}

const (
	drainWait  = time.Second            // for the PING between the two GOAWAY frames
	shutWait   = time.Second            // for the peer's end of the connection, and for the last write
	lingerWait = 500 * time.Millisecond // for the peer to read why the connection was closed
)

// leave begins to take no new streams.
func (c *Conn) leave() {
	if !c.life.draining {
		c.life.draining = true
		c.due.leaving, c.due.any = true, true
	}
}

// Drain ends the connection gracefully. A server says GOAWAY with the highest id, makes
// sure by a PING that no more requests are under way, says GOAWAY with the last id, and
// closes when the last stream has ended. A client opens no more streams and closes with
// the last. Drain returns at once.
func (c *Conn) Drain() {
	c.mu.Lock()
	c.drain()
	c.unlock()
	c.Flush()
}

func (c *Conn) drain() {
	if c.life.draining && (!c.server || c.life.goneAway || c.alarm.drain != 0) || c.life.over {
		return
	}
	c.leave()
	if c.server {
		c.appendGoAway(windowMost, xhttp2.ErrCodeNo, "")
		c.appendPing(false, []byte(drainPing))
		c.alarm.drain = c.now() + drainWait
		c.setAlarm()
		return
	}
	c.idle()
}

// drainPing is the data of the PING between the two GOAWAY frames.
const drainPing = "weft-end"

// refuse says which stream was the last: the second step of a server's drain.
func (c *Conn) refuse() {
	if c.life.goneAway || c.life.over {
		return
	}
	c.alarm.drain = 0
	c.life.goneAway, c.life.last = true, c.lastPeer
	c.appendGoAway(c.lastPeer, xhttp2.ErrCodeNo, "")
	c.idle()
}

// idle is called when there are no streams, and does nothing if there are.
func (c *Conn) idle() {
	if len(c.streams) > 0 {
		return
	}
	c.alarm.idleSince = -1
	switch {
	case c.life.over || c.life.ending:
	case c.server && c.life.goneAway:
		c.life.ending = true
	case c.server && c.life.goAway != nil:
		// The client is about to close. Who closes first with something unread makes the
		// kernel throw away what the other was sent, and it may still ask, by a PING.
		_ = c.nc.SetReadDeadline(time.Now().Add(shutWait))
	case !c.server && c.life.draining:
		c.appendGoAway(0, xhttp2.ErrCodeNo, "")
		c.life.ending = true
	case c.o.IdleTimeout > 0:
		c.alarm.idleSince = c.now()
		c.setAlarm()
	}
}

// shut ends the writing half; the peer's end is waited for, so that it gets what was
// written last.
func (c *Conn) shut() {
	wait := shutWait
	if !c.closeWrite() {
		// The reader is woken to close the connection. Closing it here would wait for the
		// reader, which may be who calls.
		wait = -time.Second
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(wait))
}

// closeWrite says to the peer that nothing follows. Nothing is being written meanwhile.
func (c *Conn) closeWrite() bool {
	w, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil {
		return false
	}
	if t, ok := c.out.sink.(*tlsSink); ok {
		_, err := t.below.try()
		return err == nil
	}
	return true
}

// fail ends the connection from outside its reader, which is woken to do so.
func (c *Conn) fail(err error) {
	if c.life.failure == nil {
		c.life.failure = err
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(-time.Second))
}

// Close ends the connection at once; Serve then resets the open streams and returns. It
// may be called in events. It does not wait for Serve.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.life.over {
		c.mu.Unlock()
		return nil
	}
	c.life.over = true
	if c.life.failure == nil {
		c.life.failure = ErrClosed
	}
	c.appendGoAway(c.lastPeer, xhttp2.ErrCodeNo, "")
	c.unlock()
	c.Flush()
	return closeNow(c.nc)
}

// closeNow closes without waiting: TLS without Buffered waits for its last record to be
// taken.
func closeNow(nc net.Conn) error {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		if _, ok := t.NetConn().(*buffered); !ok {
			return t.NetConn().Close()
		}
	}
	return nc.Close()
}

// finish tears the connection down after the reader's last frame.
func (c *Conn) finish(err error) error {
	c.mu.Lock()
	c.stopAlarm()
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) // TLS without close_notify
	left := c.server && c.life.goAway != nil && len(c.streams) == 0        // and took its time to close
	orderly := c.life.ending || left && errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(c.life.failure, ErrClosed) || ended && len(c.streams) == 0
	if c.life.failure != nil && !c.life.ending {
		err = c.life.failure
	}
	c.life.over = true
	var rule *ProtocolError
	if errors.As(err, &rule) {
		c.appendGoAway(c.lastPeer, rule.Code, rule.Reason)
	}
	cause := err
	if errors.Is(err, io.EOF) {
		cause = io.ErrUnexpectedEOF // io.EOF is how a whole body ends
	}
	open := make([]*Stream, 0, len(c.streams))
	lost := make([]*ConnError, 0, len(c.streams))
	for _, s := range c.streams {
		open = append(open, s)
		lost = append(lost, &ConnError{Err: cause, Unprocessed: !c.server && s.headAt >= c.out.handed})
		s.gone, s.queue, s.trailer = true, nil, nil
	}
	clear(c.streams)
	c.queued = 0
	c.unlock()
	for i, s := range open {
		if s.recv != nil {
			s.recv.Reset(s, lost[i])
		}
	}
	c.flush(false)
	c.mu.Lock()
	c.out.closed = true
	c.mu.Unlock()
	c.linger(rule != nil)
	_ = closeNow(c.nc)
	c.out.rest.Wait()
	c.headers.forget()
	c.in.drop()
	if orderly {
		err = nil
	}
	if c.closed != nil {
		c.closed(c, err)
	}
	return err
}

// linger lets the peer read the reason before the close: a close with unread input
// would make the kernel throw the reason away.
func (c *Conn) linger(reason bool) {
	c.mu.Lock()
	writing := c.out.writing
	c.mu.Unlock()
	if writing {
		_ = c.nc.SetWriteDeadline(time.Now().Add(shutWait))
		c.out.rest.Wait()
	}
	if !reason {
		return
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerWait))
	if !c.closeWrite() {
		return
	}
	for range 64 {
		c.in.drop()
		if c.in.fill() != nil {
			return
		}
	}
}

// writeLimit is how long the peer may take nothing.
func (c *Conn) writeLimit() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.over {
		return shutWait
	}
	return c.o.WriteTimeout
}
