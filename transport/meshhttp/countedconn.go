package meshhttp

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/transport"
)

// count returns conn, which took as long to make, with its life and bytes counted, and
// its life limited if that is positive.
func (s *clientStats) count(conn net.Conn, took, life time.Duration) net.Conn {
	s.Connected(took, secure(conn))
	c := &countedConn{Conn: conn, stats: s, since: time.Now()}
	if life > 0 {
		c.timer = time.AfterFunc(life, c.expire)
	}
	return c
}

// countedConn is a connection to an endpoint.
type countedConn struct {
	net.Conn
	stats  *clientStats
	since  time.Time
	closed sync.Once
	timer  *time.Timer // ends its life; nil: unlimited

	requests, in, out atomic.Int64

	written       atomic.Int64 // bytes that were, or are just being, given to the network
	busy, expired atomic.Bool
}

// Read implements io.Reader.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Add(int64(n))
	c.stats.Received(int64(n))
	return n, err
}

// Write implements io.Writer.
func (c *countedConn) Write(p []byte) (int, error) {
	// Before the write, because the peer's answer may be read before it returns.
	c.written.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	if n < len(p) {
		c.written.Add(int64(n - len(p)))
	}
	c.out.Add(int64(n))
	c.stats.Sent(int64(n))
	return n, err
}

// Close implements io.Closer.
func (c *countedConn) Close() error {
	c.closed.Do(func() {
		if c.timer != nil {
			c.timer.Stop()
		}
		c.stats.Closed(transport.ConnEnd{
			Lived: time.Since(c.since), Received: c.in.Load(), Sent: c.out.Load(), Requests: c.requests.Load(), TLS: secure(c.Conn),
		})
	})
	return c.Conn.Close()
}

// expire closes the connection, now or when its request is over. A request that
// is given the connection at this very moment finds it closed before it has
// written anything, and net/http takes another one.
func (c *countedConn) expire() {
	c.expired.Store(true)
	if !c.busy.Load() {
		_ = c.Close() // it is idle
	}
}

// taken says that the pool has given the connection to a request.
func (c *countedConn) taken() {
	c.requests.Add(1)
	c.busy.Store(true)
}

// idle says that the pool has got it back.
func (c *countedConn) idle() {
	c.busy.Store(false)
	if c.expired.Load() {
		_ = c.Close() // its life is over
	}
}

// CloseWrite ends the writing half, if the connection can.
func (c *countedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Conn.Close()
}
