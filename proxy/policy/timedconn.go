package policy

import (
	"net"
	"time"
)

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
