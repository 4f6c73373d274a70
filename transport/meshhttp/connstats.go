package meshhttp

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// connStats are the metrics of a client's connections; the wires to its endpoints
// share the handles.
type connStats struct {
	connects, closes  *telemetry.Counter
	open              *telemetry.UpDown
	received, sent    *telemetry.Counter
	latency, failures *telemetry.Stat
	duration          *telemetry.Stat
}

func newConnStats(s *telemetry.Scope) *connStats {
	return &connStats{
		connects: s.Counter("connects"),
		closes:   s.Counter("closes"),
		open:     s.UpDown("connections"),
		received: s.Counter("received_bytes"),
		sent:     s.Counter("sent_bytes"),
		latency:  s.Stat("connect_latency_ms"),
		failures: s.Stat("failed_connect_latency_ms"),
		duration: s.Stat("connection_duration"),
	}
}

// failed records how long it took to try.
func (s *connStats) failed(took time.Duration) { s.failures.RecordMillis(took) }

// opened and closed count a connection.
func (s *connStats) opened(took time.Duration) {
	s.connects.Inc()
	s.open.Inc()
	s.latency.RecordMillis(took)
}

func (s *connStats) closed(lived time.Duration) {
	s.closes.Inc()
	s.open.Dec()
	s.duration.RecordMillis(lived)
}

// count returns conn, which took as long to make, with its life and bytes counted, and
// its life limited if that is positive.
func (s *connStats) count(conn net.Conn, took, life time.Duration) net.Conn {
	s.opened(took)
	c := &countedConn{Conn: conn, stats: s, since: time.Now()}
	if life > 0 {
		c.timer = time.AfterFunc(life, c.expire)
	}
	return c
}

// countedConn is a connection to an endpoint.
type countedConn struct {
	net.Conn
	stats  *connStats
	since  time.Time
	closed sync.Once
	timer  *time.Timer // ends its life; nil: unlimited

	written       atomic.Int64 // bytes that were, or are just being, given to the network
	busy, expired atomic.Bool
}

// Read implements io.Reader.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.stats.received.Add(int64(n))
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
	c.stats.sent.Add(int64(n))
	return n, err
}

// Close implements io.Closer.
func (c *countedConn) Close() error {
	c.closed.Do(func() {
		if c.timer != nil {
			c.timer.Stop()
		}
		c.stats.closed(time.Since(c.since))
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
func (c *countedConn) taken() { c.busy.Store(true) }

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
