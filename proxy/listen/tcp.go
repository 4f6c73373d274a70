// Package listen opens listeners as a configuration says.
package listen

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/weft-mesh/weft/proxy/config"
)

// TCP opens a listener with the socket options of the configuration. The
// backlog is the operating system's (net.core.somaxconn), which Go uses.
func TCP(addr netip.AddrPort, o config.SocketOptions) (net.Listener, error) {
	lc := net.ListenConfig{}
	if o.ReusePort {
		lc.Control = func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			})
			if err != nil {
				return err
			}
			return failed
		}
	}
	if o.KeepAlive != nil && !*o.KeepAlive {
		lc.KeepAlive = -1
	}
	ln, err := lc.Listen(context.Background(), "tcp", addr.String())
	if err != nil || o.NoDelay == nil || *o.NoDelay {
		return ln, err
	}
	return delayListener{ln}, nil
}

// delayListener leaves Nagle's algorithm on, which Go switches off.
type delayListener struct{ net.Listener }

// Accept implements net.Listener.
func (l delayListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(false) // the connection works without it
	}
	return c, err
}
