// Package rawio reads and writes TCP sockets with system calls that Go's scheduler is
// not told of.
//
// Around an ordinary system call the runtime gives the processor up, in case that the
// call blocks, and other threads compete for it when the call takes longer than some
// 20 µs, as a write does whose packet the kernel delivers at once. Sockets of package
// net never block: they say EAGAIN. Without the hand-over a proxied HTTP/1.1 request
// costs 13 % less CPU. The waiting is still the runtime's: deadlines and Close work as
// ever.
package rawio

import (
	"io"
	"net"
	"os"
	"syscall"
)

// most is how much is read or written in one such call: the processor is held for as
// long as the copying takes.
const most = 64 << 10

// Socket reads and writes a TCP connection. Each of Read and Write is for one
// goroutine at a time.
type Socket struct {
	nc   net.Conn
	raw  syscall.RawConn
	in   half
	out  half
	load func(fd uintptr) bool // in's, made once
	save func(fd uintptr) bool // out's

	// Of ReadInto.
	fill func(fd uintptr) bool
	room func() []byte
	none func()
}

// half is one call in progress.
type half struct {
	p   []byte
	n   int
	err error
}

// New returns a Socket for nc, nil if nc is no TCP connection or the
// system has no such calls.
func New(nc net.Conn) *Socket {
	tcp, ok := nc.(*net.TCPConn)
	if !ok || !supported {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &Socket{nc: nc, raw: raw}
	s.load = func(fd uintptr) bool {
		var again bool
		s.in.n, again, s.in.err = Read(fd, s.in.p)
		return !again
	}
	s.save = s.out.write
	s.fill = func(fd uintptr) bool {
		var again bool
		if s.in.n, again, s.in.err = Read(fd, s.room()); again {
			s.none()
		}
		return !again
	}
	return s
}

// ReadInto is Read for those who have no memory to spare while they wait: room is asked
// for it when there may be something to read, and none is called when there was nothing
// and the wait begins. Room may be asked again after that. Both are called on the
// caller's goroutine.
func (s *Socket) ReadInto(room func() []byte, none func()) (int, error) {
	s.in = half{}
	s.room, s.none = room, none
	return s.readEnd(s.raw.Read(s.fill))
}

// HungUp reports whether the peer will send nothing more: it has closed the connection,
// its sending half, or is gone. Bytes that it sent before may still be unread. ok is
// false where the system cannot tell. It may be called by any goroutine and does not
// wait.
func (s *Socket) HungUp() (gone, ok bool) {
	if !canTell {
		return false, false
	}
	err := s.raw.Control(func(fd uintptr) { gone = hungUp(fd) })
	return gone || err != nil, true
}

// Read implements io.Reader.
func (s *Socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.in = half{p: p[:min(len(p), most)]}
	return s.readEnd(s.raw.Read(s.load))
}

func (s *Socket) readEnd(err error) (int, error) {
	n := s.in.n
	if err == nil {
		err = s.in.err
	}
	s.in.p = nil
	switch {
	case err != nil:
		return 0, s.failed("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (s *Socket) Write(p []byte) (int, error) {
	if len(p) > most {
		return s.nc.Write(p)
	}
	s.out = half{p: p}
	err := s.raw.Write(s.save)
	n := s.out.n
	if err == nil {
		err = s.out.err
	}
	s.out.p = nil
	if err != nil {
		return n, s.failed("write", err)
	}
	return n, nil
}

// write writes all of h, and returns false where it has to wait.
func (h *half) write(fd uintptr) bool {
	for h.n < len(h.p) {
		n, again, err := Write(fd, h.p[h.n:])
		switch {
		case again:
			return false
		case err != nil:
			h.err = err
			return true
		}
		h.n += n
	}
	return true
}

// failed dresses an error as package net does.
func (s *Socket) failed(op string, err error) error {
	if _, ok := err.(*net.OpError); ok { //nolint:errorlint // of the runtime's own making
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.nc.LocalAddr(), Addr: s.nc.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
