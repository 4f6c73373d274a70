package httprouter

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/telemetry"
)

// serverConns counts the connections of a listener and ends those that have lived
// for too long, once they are idle.
type serverConns struct {
	connects, closes, idle, lifetime *telemetry.Counter
	received, sent                   *telemetry.Counter
	open                             *telemetry.UpDown
	duration                         *telemetry.Stat
	life, rest                       time.Duration

	mu    sync.Mutex
	conns map[net.Conn]*connLife
}

type connLife struct {
	since   time.Time
	idleAt  time.Time // zero while a request is under way
	expired bool
	timer   *time.Timer
}

func newServerConns(s *telemetry.Scope, session *config.Session) *serverConns {
	c := &serverConns{
		connects: s.Counter("connects"), closes: s.Counter("closes"),
		idle: s.Counter("idle"), lifetime: s.Counter("lifetime"),
		received: s.Counter("received_bytes"), sent: s.Counter("sent_bytes"),
		open: s.UpDown("connections"), duration: s.Stat("connection_duration"),
		conns: map[net.Conn]*connLife{},
	}
	if session != nil {
		if session.LifeTime != nil {
			c.life = *session.LifeTime
		}
		if session.IdleTime != nil {
			c.rest = *session.IdleTime
		}
	}
	return c
}

// state is http.Server.ConnState.
func (c *serverConns) state(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		l := &connLife{since: time.Now()}
		if c.life > 0 {
			l.timer = time.AfterFunc(c.life, func() { c.expire(conn) })
		}
		c.conns[conn] = l
		c.connects.Inc()
		c.open.Inc()
	case http.StateActive:
		if l := c.conns[conn]; l != nil {
			l.idleAt = time.Time{}
		}
	case http.StateIdle:
		l := c.conns[conn]
		if l == nil {
			return
		}
		l.idleAt = time.Now()
		if l.expired {
			c.lifetime.Inc()
			go conn.Close() //nolint:errcheck // not under the lock: closing reports StateClosed
		}
	case http.StateClosed, http.StateHijacked:
		l := c.conns[conn]
		if l == nil {
			return
		}
		if l.timer != nil {
			l.timer.Stop()
		}
		if c.rest > 0 && !l.idleAt.IsZero() && time.Since(l.idleAt) >= c.rest {
			c.idle.Inc()
		}
		delete(c.conns, conn)
		c.closes.Inc()
		c.open.Dec()
		c.duration.RecordMillis(time.Since(l.since))
	}
}

// expire ends a connection that has lived for too long: at once if it is idle,
// otherwise when it becomes so.
func (c *serverConns) expire(conn net.Conn) {
	c.mu.Lock()
	l := c.conns[conn]
	rests := l != nil && !l.idleAt.IsZero()
	if l != nil {
		l.expired = true
	}
	c.mu.Unlock()
	if rests {
		c.lifetime.Inc()
		_ = conn.Close() // it is idle
	}
}

// listener counts the bytes of the connections that l accepts.
func (c *serverConns) listener(l net.Listener) net.Listener {
	return &countedListener{Listener: l, to: c}
}

type countedListener struct {
	net.Listener
	to *serverConns
}

// Accept implements net.Listener.
func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn, to: l.to}, nil
}

type countedConn struct {
	net.Conn
	to *serverConns
}

// Read implements io.Reader.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.received.Add(int64(n))
	return n, err
}

// Write implements io.Writer.
func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.to.sent.Add(int64(n))
	return n, err
}

// CloseWrite ends the writing half.
func (c *countedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Conn.Close()
}
