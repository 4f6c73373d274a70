package memhttp

import (
	"net"
	"sync"
	"time"
)

// Conn is one end of a connection. It is safe for concurrent use.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
	closed        sync.Once
	kill          func() // resets both ends
}

// Pipe returns the two ends of a connection between the given addresses.
func Pipe(a, b net.Addr) (*Conn, *Conn) {
	there, back := newStream(), newStream()
	x := &Conn{in: back, out: there, local: a, remote: b}
	y := &Conn{in: there, out: back, local: b, remote: a}
	x.kill = func() { x.end(true); y.end(true) }
	y.kill = x.kill
	return x, y
}

// Read implements io.Reader.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements io.Writer. It waits while the other end has too much to read.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// CloseWrite ends the writing half: the other end reads what is left, then EOF.
func (c *Conn) CloseWrite() error {
	c.out.update(func() { c.out.eof = true })
	return nil
}

// Close ends both halves. What was written can still be read at the other end.
func (c *Conn) Close() error {
	c.end(false)
	return nil
}

// Reset ends both halves at both ends, and what was not read is lost: the machine
// is gone.
func (c *Conn) Reset() { c.kill() }

func (c *Conn) end(lose bool) {
	c.closed.Do(func() {
		c.in.readBy.set(time.Time{}, c.in)
		c.out.writeBy.set(time.Time{}, c.out)
		c.in.update(func() { c.in.reset, c.in.buf = true, nil })
		c.out.update(func() {
			c.out.eof = true
			if lose {
				c.out.buf = nil
			}
		})
	})
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t) // never fails
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.readBy.set(t, c.in)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy.set(t, c.out)
	return nil
}
