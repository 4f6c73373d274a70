package http1

import (
	"errors"
	"net"
	"time"
)

// Read reads for the reader of heads and bodies. With a body, it may be another goroutine
// than the connection's, but never two at a time.
func (c *serverConn) Read(p []byte) (int, error) {
	if c.pending {
		c.pending = false
		p[0] = c.one[0]
		return 1, nil
	}
	w := c.work
	switch {
	case w.inHead && w.by.IsZero():
		// The first read of a head is that which ended the wait for it. Most heads need no
		// other, and no look at the clock.
		w.by = time.Now().Add(c.srv.o.HeadTimeout)
	case w.inBody && c.srv.o.ReadTimeout > 0:
		at := time.Now().Add(c.srv.o.ReadTimeout)
		if w.by.IsZero() || at.Before(w.by) {
			return c.receive(p, at)
		}
	}
	return c.receive(p, w.by)
}

func (c *serverConn) receive(p []byte, by time.Time) (int, error) {
	n, err := c.deadline.read(p, by)
	c.received(int64(n))
	if err != nil {
		c.broke(err)
	}
	return n, err
}

// broke notes an error of a read, unless this side has brought it about: the deadline of a
// connection that waits for a request is no timeout, and an interruption is none either.
func (c *serverConn) broke(err error) {
	if isDeadline(err) && (c.work == nil || !c.work.inHead && !c.work.inBody || c.deadline.interrupted.Load()) {
		return
	}
	c.traffic.failedRead(err)
}

func (c *serverConn) received(n int64) {
	if n > 0 && c.srv.o.Observer.Received != nil {
		c.srv.o.Observer.Received(n)
		c.traffic.received.Add(n)
	}
}

// write writes p, then q and r if there are any, in one system call where the connection
// can.
func (c *serverConn) write(p, q, r []byte) error {
	if t := c.srv.o.WriteTimeout; t > 0 {
		if err := c.nc.SetWriteDeadline(time.Now().Add(t)); err != nil {
			return err
		}
	}
	var n int64
	var err error
	if q == nil {
		var m int
		m, err = c.deadline.rw.Write(p)
		n = int64(m)
	} else {
		c.work.vector = [3][]byte{p, q, r}
		c.work.buffers = c.work.vector[:]
		n, err = c.work.buffers.WriteTo(c.nc)
		c.work.vector = [3][]byte{}
	}
	c.sent(n)
	if err != nil {
		c.traffic.failedWrite(err)
	}
	return err
}

func (c *serverConn) sent(n int64) {
	if n > 0 && c.srv.o.Observer.Sent != nil {
		c.srv.o.Observer.Sent(n)
		c.traffic.sent.Add(n)
	}
}

// isDeadline reports whether err is that of a deadline.
func isDeadline(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
