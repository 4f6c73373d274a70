package http1

import (
	"io"
	"math"
	"time"
)

// writeError is an error of where a body is written to.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// writeTo writes the rest of the body to w. The error is io.EOF at its end.
func (t *turn) writeTo(w io.Writer) (int64, error) {
	b := &t.body
	if b.framing == sized && int64(len(t.rd.buffered())) >= b.left { // the usual case: all of it is here
		n, err := w.Write(t.rd.buffered()[:b.left])
		t.rd.take(n)
		b.left -= int64(n)
		switch {
		case err != nil:
			return int64(n), &writeError{err}
		case b.left > 0:
			return int64(n), &writeError{io.ErrShortWrite}
		}
		b.err = io.EOF
		return int64(n), io.EOF
	}
	if to, ok := w.(io.ReaderFrom); ok && t.spliced() {
		return t.splice(w, to)
	}
	held, buf := t.pool.buffer()
	defer t.pool.spares.buffers.Put(held)
	var total int64
	for {
		n, err := b.Read(buf)
		if n > 0 {
			m, werr := w.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total, &writeError{werr}
			}
		}
		if err != nil {
			return total, err
		}
	}
}

// spliced reports whether the kernel may move the rest of the body. It knows nothing of
// ReadTimeout.
func (t *turn) spliced() bool {
	if t.c == nil || t.c.tcp == nil || t.pool.o.ReadTimeout > 0 {
		return false
	}
	return t.body.framing == untilClose || t.body.framing == sized && t.body.left-int64(len(t.rd.buffered())) > spliceMin
}

// splice writes what is buffered to w and lets it read the rest from the socket.
func (t *turn) splice(w io.Writer, to io.ReaderFrom) (int64, error) {
	b := &t.body
	var total int64
	if ahead := t.rd.buffered(); len(ahead) > 0 {
		n, err := w.Write(ahead)
		t.rd.take(n)
		b.left -= int64(n)
		total = int64(n)
		if err != nil {
			return total, &writeError{err}
		}
	}
	rest := &io.LimitedReader{R: t.c.tcp, N: math.MaxInt64}
	if b.framing == sized {
		rest.N = b.left
	}
	n, err := to.ReadFrom(rest)
	total += n
	t.c.received(n)
	if b.framing == sized {
		b.left -= n
	}
	switch {
	case err != nil: // of either connection: what was on its way is lost
		b.err = err
	case b.framing == sized && b.left > 0:
		b.err = io.ErrUnexpectedEOF
	default:
		b.err = io.EOF
	}
	return total, b.err
}

// drain reads the little that may be left of a body that is closed early, and reports
// whether that was all.
func (t *turn) drain() bool {
	b, c := &t.body, t.c
	switch {
	case b.ended():
		return true
	case c == nil, b.framing == untilClose, b.framing == sized && b.left > drainBytes, t.last, t.head.close, t.ctx.Err() != nil:
		return false
	case t.up != nil && !t.up.finish():
		return false
	}
	if c.limitReads(time.Now().Add(drainTime)) != nil {
		return false
	}
	held, buf := t.pool.buffer()
	defer t.pool.spares.buffers.Put(held)
	for left := drainBytes; left > 0; {
		n, err := b.Read(buf[:left])
		left -= n
		if err != nil {
			return err == io.EOF //nolint:errorlint // readers return io.EOF itself
		}
	}
	return false
}
