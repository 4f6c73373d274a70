package policy

import (
	"context"
	"net"

	"github.com/weft-mesh/weft/proxy/config"
)

// Dial returns what makes connections with the socket options of a client, nil for
// the usual ones.
func Dial(o *config.SocketOptions) func(ctx context.Context, addr string) (net.Conn, error) {
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
