package http1

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/internal/rawio"
)

// poolConn is a connection of a Pool. It belongs to the exchange that took it, or to
// the idle list of the pool, which then guards it with its mu.
type poolConn struct {
	pool *Pool
	nc   net.Conn
	rw   io.ReadWriter // reads and writes nc
	tcp  *net.TCPConn  // nc, if it is plain TCP, which the kernel can splice
	peek peeker

	born, expires time.Time // expires is zero without a limit
	idleSince     time.Time
	looked        time.Time // when it was last seen alive while idle
	spared        bool      // idle for too long, and one of MinIdle
	doomed        bool      // found to be closed, by the sweep
	fed           bool      // the last request on it had a body: see turn.suspicious
	written       int64     // bytes, by the exchanges so far
	before        int64     // written, when the exchange under way began
	secure        *tls.ConnectionState
	until         time.Time // bounds all reads; zero: nothing does
	tunnel        bool      // not counted in the pool
	requests      int64     // begun on it
	traffic       traffic

	interrupted atomic.Bool // its exchange was given up: it must not wait for anything
	interrupter func()      // interrupt, made once
}

func newPoolConn(p *Pool, nc net.Conn) *poolConn {
	c := &poolConn{pool: p, nc: nc, born: time.Now()}
	c.tcp, _ = nc.(*net.TCPConn)
	c.peek.init(nc)
	c.rw = readWriter(nc)
	c.interrupter = c.interrupt
	return c
}

// readWriter returns the cheapest way of reading and writing nc.
func readWriter(nc net.Conn) io.ReadWriter {
	if s := rawio.New(nc); s != nil {
		return s
	}
	return nc
}

// Read implements io.Reader.
func (c *poolConn) Read(p []byte) (int, error) {
	if t := c.pool.o.ReadTimeout; t > 0 {
		at := time.Now().Add(t)
		if !c.until.IsZero() && c.until.Before(at) {
			at = c.until
		}
		if err := c.readBy(at); err != nil {
			return 0, err
		}
	}
	n, err := c.rw.Read(p)
	c.received(int64(n))
	if err != nil && !c.interrupted.Load() {
		c.traffic.failedRead(err)
	}
	return n, err
}

// received counts bytes that were read.
func (c *poolConn) received(n int64) {
	if n > 0 && c.pool.o.Observer.Received != nil {
		c.pool.o.Observer.Received(n)
		c.traffic.received.Add(n)
	}
}

// Write implements io.Writer.
func (c *poolConn) Write(p []byte) (int, error) {
	if err := c.armWrite(); err != nil {
		return 0, err
	}
	n, err := c.rw.Write(p)
	c.sent(int64(n))
	c.wrote(err)
	return n, err
}

// writev writes head and body in one system call, where the connection can.
func (c *poolConn) writev(bufs *net.Buffers) (int64, error) {
	if err := c.armWrite(); err != nil {
		return 0, err
	}
	n, err := bufs.WriteTo(c.nc)
	c.sent(n)
	c.wrote(err)
	return n, err
}

// wrote notes what became of a write.
func (c *poolConn) wrote(err error) {
	if err != nil && !c.interrupted.Load() {
		c.traffic.failedWrite(err)
	}
}

// sent counts bytes that were written.
func (c *poolConn) sent(n int64) {
	c.written += n
	c.passed(n)
}

// passed is sent for who does not own the connection.
func (c *poolConn) passed(n int64) {
	if n > 0 && c.pool.o.Observer.Sent != nil {
		c.pool.o.Observer.Sent(n)
		c.traffic.sent.Add(n)
	}
}

// armWrite bounds the next write.
func (c *poolConn) armWrite() error {
	t := c.pool.o.WriteTimeout
	if t <= 0 {
		return nil
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(t)); err != nil {
		return err
	}
	return c.going()
}

// limitReads bounds all reads from now on; the zero time ends that.
func (c *poolConn) limitReads(until time.Time) error {
	c.until = until
	return c.readBy(until)
}

// readBy moves the deadline of reads.
func (c *poolConn) readBy(at time.Time) error {
	if err := c.nc.SetReadDeadline(at); err != nil {
		return err
	}
	return c.going()
}

// going returns an error if the connection was interrupted. Asked after a deadline
// was moved: an interruption that it does not see moves the deadline once more.
func (c *poolConn) going() error {
	if c.interrupted.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// interrupt ends reads and writes, now and in future. The connection will be closed
// by the exchange that has it.
func (c *poolConn) interrupt() {
	c.interrupted.Store(true)
	_ = c.nc.SetDeadline(time.Unix(1, 0)) // it fails on closed connections only
}

// abort implements aborter.
func (c *poolConn) abort() { c.interrupt() }

// close closes the connection.
func (c *poolConn) close() {
	if secure, ok := c.nc.(*tls.Conn); ok {
		// Close would wait up to 5 s for its alert to be written.
		_ = secure.SetWriteDeadline(time.Now().Add(alertTimeout))
		_ = secure.NetConn().SetReadDeadline(time.Unix(1, 0))
	}
	_ = c.nc.Close() // nothing can be done about it
	c.closed()
}

// alertTimeout bounds the wait for room for the last few bytes of a TLS connection.
const alertTimeout = 100 * time.Millisecond

// closed counts the end of the connection.
func (c *poolConn) closed() {
	if c.pool.o.Observer.Closed != nil {
		c.pool.o.Observer.Closed(c.traffic.report(c.nc, time.Since(c.born), c.requests))
	}
	if !c.tunnel {
		c.pool.gone()
	}
}

// unheard reports whether the endpoint had ended the connection before anything of the
// exchange under way reached it; the connection has been read to its EOF, not to a reset.
//
// An end of the connection acknowledges all that came before it. So what is not
// acknowledged then came to nobody who could have answered.
func (c *poolConn) unheard() bool {
	if c.tcp == nil {
		return false
	}
	n, known := acked(c.tcp)
	return known && n <= c.before+1
}

// expired reports whether its life is over.
func (c *poolConn) expired(now time.Time) bool {
	return !c.expires.IsZero() && !now.Before(c.expires)
}

// seen returns when the connection was last known to be alive.
func (c *poolConn) seen() time.Time {
	if c.looked.After(c.idleSince) {
		return c.looked
	}
	return c.idleSince
}

// alive reports whether the idle connection can still be used, as far as this end
// knows: the endpoint neither closed it nor sent anything that nobody asked for.
func (c *poolConn) alive() bool { return c.peek.quiet() }
