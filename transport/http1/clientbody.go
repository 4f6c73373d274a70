package http1

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// clientBody is the body of a response. Close may be called during a Read, which it
// ends; otherwise it is for one goroutine.
type clientBody struct {
	mu   sync.Mutex
	t    *turn // nil: nothing can come any more
	resp *http.Response
	err  error // what Read returns then

	connMu sync.Mutex
	conn   *poolConn // while it is this body's; guarded by connMu
}

// attach says which connection the body is read from; nil: none any more.
func (b *clientBody) attach(c *poolConn) {
	b.connMu.Lock()
	b.conn = c
	b.connMu.Unlock()
}

// spliceMin is how much must be to come for it to be worth a system call or two to
// have it moved by the kernel.
const spliceMin = 64 << 10

// How much of a body that was closed early is read, and for how long, to be able to
// use its connection again.
const (
	drainBytes = 16 << 10
	drainTime  = 5 * time.Millisecond
)

// Read implements io.Reader.
func (b *clientBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.t == nil || b.err != nil {
		return 0, b.err
	}
	n, err := b.t.body.Read(p)
	if err != nil {
		err = b.end(err)
	}
	return n, err
}

// end gives the connection back after err, and returns what to say instead. The caller
// holds mu.
func (b *clientBody) end(err error) error {
	t := b.t
	if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
		for name, values := range t.body.trailer {
			if b.resp.Trailer == nil {
				b.resp.Trailer = make(http.Header)
			}
			b.resp.Trailer[name] = values
		}
	} else {
		err = t.explain(err)
	}
	b.err = err
	t.release(err == io.EOF) //nolint:errorlint // as above
	if !t.pool.o.Recycle {
		b.t = nil
		t.free()
	}
	return err
}

// Close implements io.Closer.
func (b *clientBody) Close() error {
	if !b.mu.TryLock() {
		// A Read is under way: it ends now, and the connection with it.
		b.interrupt()
		b.mu.Lock()
	}
	t := b.t
	if t != nil && b.err == nil {
		t.release(t.drain())
	}
	b.t, b.err = nil, http.ErrBodyReadAfterClose
	b.mu.Unlock()
	if t != nil {
		t.free() // and with it, if it is recycled, b
	}
	return nil
}

// interrupt ends a Read that holds mu. If that has just ended the body, its connection
// may be another's already, which connMu tells.
func (b *clientBody) interrupt() {
	b.connMu.Lock()
	defer b.connMu.Unlock()
	if b.conn != nil {
		b.conn.interrupt()
	}
}

// WriteTo implements io.WriterTo: what is to come of a long body is moved by the kernel,
// if w can have that done.
func (b *clientBody) WriteTo(w io.Writer) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.t == nil || b.err != nil {
		if b.err == io.EOF { //nolint:errorlint // set from readers' io.EOF itself
			return 0, nil
		}
		return 0, b.err
	}
	n, err := b.t.writeTo(w)
	if we, ok := errors.AsType[*writeError](err); ok {
		return n, we.err // the rest can still be read
	}
	if err = b.end(err); err == io.EOF { //nolint:errorlint // as above
		err = nil
	}
	return n, err
}

// InMemory reports whether body is that of a response of a Pool and all of it has been
// read from the connection, which serves others already: nothing can go wrong with it.
func InMemory(body io.ReadCloser) bool {
	b, ok := body.(*clientBody)
	return ok && b.inMemory()
}

func (b *clientBody) inMemory() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.t != nil && b.err == nil && b.t.c == nil
}
