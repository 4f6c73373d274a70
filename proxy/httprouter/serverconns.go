package httprouter

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// serverConns counts the connections of a listener and ends those that have lived
// or rested for too long. One that is in use when its life is over ends with the
// response that is under way, which says so. Tunnels, which net/http lets go of,
// stay known until they are closed.
type serverConns struct {
	connects, closes, idle, lifetime *telemetry.Counter
	received, sent                   *telemetry.Counter
	open                             *telemetry.UpDown
	duration                         *telemetry.Stat
	life, rest                       time.Duration
	writeTimeout                     time.Duration // of one write; zero is no limit

	mu    sync.Mutex
	conns map[net.Conn]*connLife
}

// connLife is the life of one connection. The fields are guarded by serverConns.mu.
type connLife struct {
	conn    net.Conn
	since   time.Time
	busy    bool // a request is under way
	tunnel  bool // it is no longer HTTP
	counted bool // its end has been counted as one of a session's limits
	life    *time.Timer
	rest    *time.Timer
	expired atomic.Bool // its life is over
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

type lifeKey struct{}

// context is http.Server.ConnContext, which is called before anything else is done
// with a connection.
func (c *serverConns) context(ctx context.Context, conn net.Conn) context.Context {
	l := &connLife{conn: conn, since: time.Now()}
	inner := conn
	if t, ok := conn.(*tls.Conn); ok {
		inner = t.NetConn()
	}
	if counted, ok := inner.(*countedConn); ok {
		counted.life = l
	}
	c.mu.Lock()
	c.conns[conn] = l
	if c.life > 0 {
		l.life = time.AfterFunc(c.life, func() { c.expire(l) })
	}
	if c.rest > 0 {
		l.rest = time.AfterFunc(c.rest, func() { c.end(l, c.idle) })
	}
	c.mu.Unlock()
	c.connects.Inc()
	c.open.Inc()
	return meshhttp.WithConnLabel(context.WithValue(ctx, lifeKey{}, l), conn)
}

// handler makes responses on connections that have lived for too long their last.
func (c *serverConns) handler(h http.Handler) http.Handler {
	if c.life <= 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l, ok := r.Context().Value(lifeKey{}).(*connLife); ok {
			w = &lastResponse{ResponseWriter: w, life: l}
		}
		h.ServeHTTP(w, r)
	})
}

// state is http.Server.ConnState.
func (c *serverConns) state(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	l := c.conns[conn]
	c.mu.Unlock()
	if l == nil {
		return
	}
	switch s {
	case http.StateNew:
	case http.StateActive:
		c.mu.Lock()
		l.busy = true
		if l.rest != nil {
			l.rest.Stop()
		}
		c.mu.Unlock()
	case http.StateIdle:
		c.mu.Lock()
		l.busy = false
		if l.rest != nil {
			l.rest.Reset(c.rest)
		}
		c.mu.Unlock()
		if l.expired.Load() {
			c.end(l, c.lifetime)
		}
	case http.StateHijacked:
		c.mu.Lock()
		l.busy, l.tunnel = true, true
		c.mu.Unlock()
	case http.StateClosed:
		c.gone(l)
	}
}

// closeTunnels ends what is left of the connections that net/http let go of: they
// have no end that could be waited for.
func (c *serverConns) closeTunnels() {
	c.mu.Lock()
	var tunnels []net.Conn
	for _, l := range c.conns {
		if l.tunnel {
			tunnels = append(tunnels, l.conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range tunnels {
		_ = conn.Close() // it is cut off
	}
}

// expire ends a connection that has lived for too long: at once if it rests,
// otherwise after the request that is under way.
func (c *serverConns) expire(l *connLife) {
	l.expired.Store(true)
	c.end(l, c.lifetime)
}

// end closes a connection that rests, for the reason that is counted.
func (c *serverConns) end(l *connLife, reason *telemetry.Counter) {
	c.mu.Lock()
	if l.busy || l.counted {
		c.mu.Unlock()
		return
	}
	l.counted = true
	c.mu.Unlock()
	reason.Inc()
	_ = l.conn.Close() // nobody is using it
}

// gone forgets a connection.
func (c *serverConns) gone(l *connLife) {
	c.mu.Lock()
	if c.conns[l.conn] != l {
		c.mu.Unlock()
		return
	}
	delete(c.conns, l.conn)
	for _, t := range []*time.Timer{l.life, l.rest} {
		if t != nil {
			t.Stop()
		}
	}
	last := l.expired.Load() && !l.counted // it ended with its last response
	l.counted = true
	c.mu.Unlock()
	if last {
		c.lifetime.Inc()
	}
	c.closes.Inc()
	c.open.Dec()
	c.duration.RecordMillis(time.Since(l.since))
}

// lastResponse says that the connection will be closed, if its life is over when
// the head of the response is written.
type lastResponse struct {
	http.ResponseWriter
	life *connLife
}

// WriteHeader implements http.ResponseWriter.
func (w *lastResponse) WriteHeader(code int) {
	if code >= http.StatusOK && w.life.expired.Load() {
		w.Header()["Connection"] = []string{"close"}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is what http.ResponseController looks for.
func (w *lastResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }

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
	to   *serverConns
	life *connLife // set before the connection is used
}

// Close implements io.Closer.
func (c *countedConn) Close() error {
	err := c.Conn.Close()
	if l := c.life; l != nil {
		c.to.mu.Lock()
		tunnel := l.tunnel
		c.to.mu.Unlock()
		if tunnel { // of the others net/http tells
			c.to.gone(l)
		}
	}
	return err
}

// Read implements io.Reader.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.received.Add(int64(n))
	return n, err
}

// Write implements io.Writer. The time limit is that of one write, as the socket
// option it comes from, and not of a whole response.
func (c *countedConn) Write(p []byte) (int, error) {
	if c.to.writeTimeout > 0 {
		if err := c.Conn.SetWriteDeadline(time.Now().Add(c.to.writeTimeout)); err != nil {
			return 0, err
		}
	}
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
