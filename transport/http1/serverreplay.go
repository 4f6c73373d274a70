package http1

import (
	"errors"
	"net"
	"syscall"
)

// Replayed is a connection of which something has been read, which it returns once more.
type Replayed struct {
	net.Conn
	head []byte
}

// Read implements io.Reader. It is for one goroutine.
func (r *Replayed) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		if r.head = r.head[n:]; len(r.head) == 0 {
			r.head = nil
		}
		return n, nil
	}
	return r.Conn.Read(p)
}

// Take returns what was read before and has not been returned, which nothing else does
// from now on: whoever takes it can go on with NetConn. It is for the reader's goroutine.
func (r *Replayed) Take() []byte {
	head := r.head
	r.head = nil
	return head
}

// NetConn returns the connection below. Reading from it leaves out what was read before.
func (r *Replayed) NetConn() net.Conn { return r.Conn }

// SyscallConn implements syscall.Conn, for writing and socket options, if the connection
// below does.
func (r *Replayed) SyscallConn() (syscall.RawConn, error) {
	if c, ok := r.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
