//go:build unix

package http2

import (
	"io"
	"net"
	"syscall"
	"time"

	"github.com/weft-mesh/weft/internal/rawio"
)

// mostWrite is how much is written in one system call, which holds the processor.
const mostWrite = 64 << 10

// socketSink writes to a socket without waiting for it.
type socketSink struct {
	nc  net.Conn
	raw syscall.RawConn
	b   []byte // what is to be written
	err error
	fn  func(fd uintptr) bool // made once: a closure for each write would be garbage
}

// newSocketSink returns nil if nc is no socket.
func newSocketSink(nc net.Conn) sink {
	raw := rawConn(nc)
	if raw == nil {
		return nil
	}
	s := &socketSink{nc: nc, raw: raw}
	s.fn = s.write
	return s
}

func rawConn(nc net.Conn) syscall.RawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

func (s *socketSink) try(b []byte) (bool, error) {
	s.b, s.err = b, nil
	if err := s.raw.Write(s.fn); err != nil {
		return false, err
	}
	return len(s.b) == 0, s.err
}

func (s *socketSink) write(fd uintptr) bool {
	for len(s.b) > 0 {
		n, again, err := rawio.Write(fd, s.b[:min(len(s.b), mostWrite)])
		switch {
		case again:
			return true
		case err != nil:
			s.err = err
			return true
		default:
			s.b = s.b[n:]
		}
	}
	return true
}

func (s *socketSink) finish(limit func() time.Duration) error {
	b := s.b
	s.b = nil
	return writeAll(s.nc, b, limit)
}

// socketReader reads from a socket into memory that it asks for only when there is
// something to read.
type socketReader struct {
	raw  syscall.RawConn
	room func() []byte // where to read to
	none func()        // nothing was there: it will wait
	n    int
	err  error
	fn   func(fd uintptr) bool
}

func newSocketReader(nc net.Conn, room func() []byte, none func()) *socketReader {
	raw := rawConn(nc)
	if raw == nil {
		return nil
	}
	r := &socketReader{raw: raw, room: room, none: none}
	r.fn = r.readFd
	return r
}

func (r *socketReader) read() (int, error) {
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.fn); err != nil {
		return 0, err
	}
	return r.n, r.err
}

func (r *socketReader) readFd(fd uintptr) bool {
	b := r.room()
	n, again, err := rawio.Read(fd, b)
	switch {
	case again:
		r.none()
		return false
	case err != nil:
		r.err = err
	case n == 0:
		r.err = io.EOF
	default:
		r.n = n
	}
	return true
}
