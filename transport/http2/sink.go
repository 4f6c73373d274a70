package http2

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"
)

// sink takes what a connection writes. One goroutine uses it at a time.
type sink interface {
	// try takes b, which stays valid until try or finish has said that it is done, and
	// writes what can be written without waiting.
	try(b []byte) (done bool, err error)
	// finish waits until all that was taken is written, at most limit for each piece.
	finish(limit func() time.Duration) error
}

// newSink chooses the way of writing: straight to the socket, through TLS into a buffer
// above the socket, or by waiting.
func newSink(nc net.Conn) sink {
	if t, ok := nc.(*tls.Conn); ok {
		if b, ok := t.NetConn().(*buffered); ok {
			b.attach()
			return &tlsSink{tls: t, below: b}
		}
		return &waitingSink{nc: nc}
	}
	if b, ok := nc.(*buffered); ok {
		nc = b.Conn
	}
	if s := newSocketSink(nc); s != nil {
		return s
	}
	return &waitingSink{nc: nc}
}

// waitingSink leaves everything to finish.
type waitingSink struct {
	nc   net.Conn
	rest []byte
}

func (w *waitingSink) try(b []byte) (bool, error) {
	w.rest = b
	return len(b) == 0, nil
}

func (w *waitingSink) finish(limit func() time.Duration) error {
	b := w.rest
	w.rest = nil
	return writeAll(w.nc, b, limit)
}

// writeAll writes b. It fails when nothing at all is taken for limit.
func writeAll(nc net.Conn, b []byte, limit func() time.Duration) error {
	defer func() { _ = nc.SetWriteDeadline(time.Time{}) }() // non-blocking writes come next
	for len(b) > 0 {
		if err := nc.SetWriteDeadline(time.Now().Add(limit())); err != nil {
			return err
		}
		// In pieces, so that a slow peer that takes some of them is told from one that
		// takes nothing. TLS cannot go on after a piece that was cut by the deadline.
		n, err := nc.Write(b[:min(len(b), writePiece)])
		b = b[n:]
		if err != nil && (n == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return err
		}
	}
	return nil
}

const writePiece = 16 << 10

// tlsSink encrypts into the buffer below.
type tlsSink struct {
	tls   *tls.Conn
	below *buffered
}

func (t *tlsSink) try(b []byte) (bool, error) {
	if _, err := t.tls.Write(b); err != nil {
		return false, err
	}
	return t.below.try()
}

func (t *tlsSink) finish(limit func() time.Duration) error { return t.below.finish(limit) }
