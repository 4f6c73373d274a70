//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// peeker looks into a connection's receive buffer without waiting. The zero peeker
// sees nothing.
type peeker struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool
	n    int
	err  error
	buf  [1]byte
}

// init makes it look into nc, or into what nc encrypts.
func (p *peeker) init(nc net.Conn) {
	for {
		outer, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = outer.NetConn()
	}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return // the first use of the connection will say so
	}
	p.raw, p.look = raw, p.recv
}

func (p *peeker) recv(fd uintptr) bool {
	p.n, _, p.err = syscall.Recvfrom(int(fd), p.buf[:], syscall.MSG_PEEK)
	return true
}

// quiet reports whether the connection is open and has nothing to be read.
func (p *peeker) quiet() bool {
	if p.raw == nil {
		return true
	}
	if err := p.raw.Read(p.look); err != nil {
		return false
	}
	return p.n <= 0 && (errors.Is(p.err, syscall.EAGAIN) || errors.Is(p.err, syscall.EINTR))
}
