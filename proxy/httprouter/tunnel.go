package httprouter

import (
	"net"
	"sync"
	"time"
)

// tunnel is a connection that is no longer HTTP. Its bytes are counted as those of
// the connection that it was.
type tunnel struct {
	net.Conn
	conns *serverConns
	since time.Time
	once  sync.Once
}

// tunnel is what meshhttp does with a connection that it takes over.
func (c *serverConns) tunnel(conn net.Conn) net.Conn {
	c.Reopened() // the engine has counted it as closed
	t := &tunnel{Conn: conn, conns: c, since: time.Now()}
	c.mu.Lock()
	c.tunnels[t] = struct{}{}
	c.mu.Unlock()
	return t
}

// closeTunnels ends what is left of the tunnels: they have no end that could be
// waited for.
func (c *serverConns) closeTunnels() {
	c.mu.Lock()
	var left []*tunnel
	for t := range c.tunnels {
		left = append(left, t)
	}
	c.mu.Unlock()
	for _, t := range left {
		_ = t.Close() // it is cut off
	}
}

// Close implements io.Closer.
func (t *tunnel) Close() error {
	t.once.Do(func() {
		t.conns.mu.Lock()
		delete(t.conns.tunnels, t)
		t.conns.mu.Unlock()
		t.conns.Left(time.Since(t.since))
	})
	return t.Conn.Close()
}

// Read implements io.Reader.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.conns.Received(int64(n))
	return n, err
}

// Write implements io.Writer.
func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.conns.Sent(int64(n))
	return n, err
}

// CloseWrite ends the writing half.
func (t *tunnel) CloseWrite() error {
	if w, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return t.Conn.Close()
}
