package http1

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
)

// tunnelConn is a connection that has left its Pool for good: a Tunnel's, or the
// body of a response to CONNECT or of 101. As with any net.Conn, several goroutines may
// write at once, and read, but for the first bytes.
type tunnelConn struct {
	net.Conn
	c     *poolConn
	ahead []byte // was read with the response's head
	once  sync.Once
}

// newTunnelConn returns c, which nobody else may use any more, as a net.Conn.
func newTunnelConn(c *poolConn, ahead []byte) *tunnelConn {
	c.rw = c.nc // the cheaper way is for one reader and one writer
	return &tunnelConn{Conn: c.nc, c: c, ahead: bytes.Clone(ahead)}
}

// Read implements io.Reader.
func (t *tunnelConn) Read(p []byte) (int, error) {
	if len(t.ahead) > 0 {
		n := copy(p, t.ahead)
		t.ahead = t.ahead[n:]
		return n, nil
	}
	return t.c.Read(p)
}

// Write implements io.Writer.
func (t *tunnelConn) Write(p []byte) (int, error) {
	if err := t.c.armWrite(); err != nil {
		return 0, err
	}
	n, err := t.Conn.Write(p)
	t.wrote(int64(n))
	return n, err
}

// wrote counts for the observer. What the connection itself counts is for one goroutine,
// and only exchanges ask for it.
func (t *tunnelConn) wrote(n int64) {
	t.c.passed(n)
}

// WriteTo implements io.WriterTo, so that the kernel can move the bytes.
func (t *tunnelConn) WriteTo(w io.Writer) (int64, error) {
	var total int64
	if len(t.ahead) > 0 {
		n, err := w.Write(t.ahead)
		t.ahead = t.ahead[n:]
		total = int64(n)
		if err != nil {
			return total, err
		}
	}
	if t.c.pool.o.ReadTimeout > 0 {
		n, err := io.Copy(w, readerOnly{t})
		return total + n, err
	}
	n, err := io.Copy(w, t.Conn)
	t.c.received(n)
	return total + n, err
}

// ReadFrom implements io.ReaderFrom, so that the kernel can move the bytes.
func (t *tunnelConn) ReadFrom(r io.Reader) (int64, error) {
	if t.c.tcp == nil || t.c.pool.o.WriteTimeout > 0 {
		return io.Copy(writerOnly{t}, r)
	}
	n, err := t.c.tcp.ReadFrom(r)
	t.wrote(n)
	return n, err
}

// CloseWrite ends the writing half, if the connection can.
func (t *tunnelConn) CloseWrite() error {
	if w, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

// Close implements io.Closer.
func (t *tunnelConn) Close() error {
	err := net.ErrClosed
	t.once.Do(func() {
		err = t.Conn.Close()
		t.c.closed()
	})
	return err
}

// readerOnly and writerOnly hide what else a value can do.
type (
	readerOnly struct{ io.Reader }
	writerOnly struct{ io.Writer }
)
