package meshhttp

import "net"

// tunnelBody is the connection behind a CONNECT response.
type tunnelBody struct {
	net.Conn
	stop func() bool
}

// Close implements io.Closer.
func (b *tunnelBody) Close() error {
	b.stop()
	return b.Conn.Close()
}

// CloseWrite ends the writing half, if the connection can.
func (b *tunnelBody) CloseWrite() error {
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return b.Close()
}
