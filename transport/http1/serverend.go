package http1

import (
	"crypto/tls"
	"time"
)

// hungUp tells the handler that the caller is gone.
func (c *serverConn) hungUp() {
	c.cancel()
	c.hang.fire()
}

// end ends the connection and all that was for it.
func (c *serverConn) end() {
	if c.ended != nil {
		defer close(c.ended)
	}
	if c.hijacked {
		c.cancel()
		return
	}
	c.unhook()
	c.cancel()
	c.watch.close()
	c.detach()
	c.close()
	c.srv.forget(c)
}

// closeTime bounds the wait for room for the last few bytes of a TLS connection.
const closeTime = 100 * time.Millisecond

func (c *serverConn) close() {
	if _, ok := c.nc.(*tls.Conn); ok {
		// Close would wait up to 5 s for its alert to be written.
		_ = c.nc.SetWriteDeadline(time.Now().Add(closeTime))
	}
	_ = c.nc.Close() // nothing can be done about it
}

// drain closes the connection if it is idle, and has it end with the request under way
// otherwise. Any goroutine may call it.
func (c *serverConn) drain() {
	if session := c.session.Load(); session != nil {
		(*session).Drain()
		return
	}
	if c.state.CompareAndSwap(connIdle, connClosed) {
		c.close()
	}
}

// kill closes the connection. Any goroutine may call it.
func (c *serverConn) kill() {
	if c.state.Swap(connClosed) != connClosed {
		c.close()
	}
}

// lingering: how much of what a caller still sends is read, and for how long, so that it
// sees an answer that it did not expect, instead of a reset.
const (
	lingerPause = time.Second
	lingerTime  = 5 * time.Second
)

// linger ends the sending half, and reads until the caller has seen that.
func (c *serverConn) linger() {
	half := c.nc
	if secure, ok := half.(*tls.Conn); ok {
		_ = secure.SetWriteDeadline(time.Now().Add(closeTime))
		_ = secure.CloseWrite() // the connection is closed next
		half = secure.NetConn()
	}
	w, ok := half.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil {
		return
	}
	c.work.reader.take(len(c.work.reader.buffered()))
	buf := c.work.space()
	for until := time.Now().Add(lingerTime); ; {
		now := time.Now()
		by := now.Add(lingerPause)
		if until.Before(by) {
			by = until
		}
		if half.SetReadDeadline(by) != nil {
			return
		}
		if _, err := half.Read(buf); err != nil {
			return
		}
	}
}
