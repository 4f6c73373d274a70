package rawio

import "net"

// conn is a TCP connection that reads and writes through a Socket.
type conn struct {
	*net.TCPConn
	socket *Socket
}

// Wrap returns nc with its Read and Write as a Socket has them, or nc itself if it is no
// TCP connection. It is for what stands between a socket and whoever reads and writes,
// such as TLS: one goroutine may read and one may write at a time.
func Wrap(nc net.Conn) net.Conn {
	s := New(nc)
	if s == nil {
		return nc
	}
	tcp, _ := nc.(*net.TCPConn)
	return &conn{TCPConn: tcp, socket: s}
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) { return c.socket.Read(p) }

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) { return c.socket.Write(p) }
