package httprouter

import (
	"context"
	"net"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// defaultHeadBytes is the default of maxHeadersKB.
const defaultHeadBytes = 8 << 10

// pool returns how the connections to an endpoint are kept. minSize has no
// counterpart: no connection is made before it is needed.
func pool(p config.ClientPolicy) meshhttp.PoolOptions {
	var o meshhttp.PoolOptions
	if h := p.HostConnectionPool; h != nil {
		if h.MaxSize != nil {
			o.MaxSize = *h.MaxSize
		}
		if h.MaxWaiters != nil {
			if o.MaxWaiters = *h.MaxWaiters; o.MaxWaiters == 0 {
				o.MaxWaiters = -1
			}
		}
		if h.IdleTime != nil {
			o.IdleTimeout = *h.IdleTime
		}
	}
	if s := p.ClientSession; s != nil {
		if s.IdleTime != nil && (o.IdleTimeout == 0 || *s.IdleTime < o.IdleTimeout) {
			o.IdleTimeout = *s.IdleTime
		}
		if s.LifeTime != nil {
			o.LifeTime = *s.LifeTime
		}
	}
	return o
}

// dial returns what makes connections with the socket options of a client, nil for
// the usual ones.
func dial(o *config.SocketOptions) func(ctx context.Context, addr string) (net.Conn, error) {
	if o == nil {
		return nil
	}
	d := &net.Dialer{}
	if o.KeepAlive != nil && !*o.KeepAlive {
		d.KeepAlive = -1
	}
	limits := timedConn{}
	if o.ReadTimeout != nil {
		limits.read = *o.ReadTimeout
	}
	if o.WriteTimeout != nil {
		limits.write = *o.WriteTimeout
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok && o.NoDelay != nil && !*o.NoDelay {
			_ = tcp.SetNoDelay(false) // the connection works without it
		}
		if limits.read <= 0 && limits.write <= 0 {
			return conn, nil
		}
		c := limits
		c.Conn = conn
		return &c, nil
	}
}

// timedConn limits the time of each Read and Write, as the socket options of Netty
// do: a peer that says nothing for that long is given up, also between requests.
type timedConn struct {
	net.Conn
	read, write time.Duration // zero is no limit
}

// Read implements io.Reader.
func (c *timedConn) Read(p []byte) (int, error) {
	if c.read > 0 {
		if err := c.SetReadDeadline(time.Now().Add(c.read)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// Write implements io.Writer.
func (c *timedConn) Write(p []byte) (int, error) {
	if c.write > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.write)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// CloseWrite ends the writing half.
func (c *timedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Conn.Close()
}
