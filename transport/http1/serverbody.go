package http1

import (
	"io"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
)

// requestBody is the body of a request. Reads are for one goroutine at a time; Close may be
// called by any other, and ends a Read that is under way.
type requestBody struct {
	x       *serving
	c       *serverConn
	trailer *http.Header // where to put the trailer

	closed atomic.Bool
	waits  atomic.Bool  // the caller waits for 100 Continue
	fault  atomic.Int32 // the status to answer if the body is not what it may be; zero: it is

	mu   sync.Mutex // guards what follows
	p    payload
	told bool // over has been called
}

func newRequestBody(x *serving) *requestBody {
	b := &requestBody{x: x, c: x.c, trailer: &x.req.Trailer}
	b.p.begin(&x.c.work.reader, &x.c.srv.lim, &x.head)
	b.waits.Store(x.head.expect)
	return b
}

// here reports whether all of the body has been read from the connection. It is for the
// connection's goroutine, before anybody reads.
func (b *requestBody) here() bool {
	return b.p.framing == sized && b.p.left <= int64(len(b.p.r.buffered()))
}

// Buffered implements Buffered: a short body is in memory when its head is.
func (b *requestBody) Buffered() ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() || b.p.err != nil || !b.here() {
		return nil, false
	}
	return b.p.r.buffered()[:b.p.left], true
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return 0, err
	}
	n, err := b.p.Read(p)
	if err != nil {
		err = b.over(err)
	}
	return n, err
}

// ready tells the caller to go on, if it waits for that.
func (b *requestBody) ready() error {
	if b.closed.Load() {
		return http.ErrBodyReadAfterClose
	}
	if b.waits.Load() && b.waits.CompareAndSwap(true, false) {
		return b.x.w.proceed()
	}
	return nil
}

// over does what is to be done when the body has ended with err, once, and returns what the
// reader is to get. The caller holds mu.
func (b *requestBody) over(err error) error {
	switch {
	case b.closed.Load():
		return http.ErrBodyReadAfterClose
	case b.told:
		return err
	}
	b.told = true
	if err != io.EOF { //nolint:errorlint // readers return io.EOF itself
		if status := statusOf(err); status != 0 {
			b.fault.Store(int32(status)) //nolint:gosec // three digits
		} else if !isDeadline(err) {
			b.c.hungUp()
		}
		return err
	}
	if len(b.p.trailer) > 0 {
		if *b.trailer == nil {
			*b.trailer = make(http.Header, len(b.p.trailer))
		}
		maps.Copy(*b.trailer, b.p.trailer)
	}
	b.c.watch.arm()
	return err
}

// Close implements io.Closer. What has not been read is the server's to deal with.
func (b *requestBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.await()
	return nil
}

// shut is Close, and returns when nobody reads any more.
func (b *requestBody) shut() {
	b.closed.Store(true)
	b.await()
}

// await ends a Read that is under way.
func (b *requestBody) await() {
	if b.mu.TryLock() {
		b.mu.Unlock()
		return
	}
	b.c.deadline.interrupt()
	b.mu.Lock()
	b.c.deadline.resume()
	b.p.resume()
	b.mu.Unlock()
}

// WriteTo implements io.WriterTo: what is to come of a long body is moved by the kernel, if w
// can have that done.
func (b *requestBody) WriteTo(w io.Writer) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return 0, err
	}
	if b.p.err != nil {
		if b.p.err == io.EOF { //nolint:errorlint // readers return io.EOF itself
			return 0, nil
		}
		return 0, b.over(b.p.err)
	}
	var total int64
	if b.p.framing == sized {
		n, err := b.splice(w)
		if total = n; err != nil || b.p.ended() {
			return total, err
		}
	}
	held, buf := b.c.srv.buffer()
	defer b.c.srv.copying.Put(held)
	for {
		n, err := b.p.Read(buf)
		if n > 0 {
			m, werr := w.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
		}
		if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
			_ = b.over(err) // it is io.EOF
			return total, nil
		}
		if err != nil {
			return total, b.over(err)
		}
	}
}

// splice writes what is buffered, and has the kernel move the rest if that pays. The caller
// holds mu.
func (b *requestBody) splice(w io.Writer) (int64, error) {
	p, c := &b.p, b.c
	to, ok := w.(io.ReaderFrom)
	if !ok || c.tcp == nil || p.left < spliceLeast || c.srv.o.ReadTimeout > 0 || c.deadline.limit.Load() != 0 {
		return 0, nil
	}
	head := p.r.buffered()
	n, err := w.Write(head)
	p.r.take(n)
	p.left -= int64(n)
	total := int64(n)
	if err != nil {
		return total, err
	}
	if err = c.deadline.clear(); err != nil {
		return total, b.over(err)
	}
	moved, err := to.ReadFrom(&io.LimitedReader{R: c.tcp, N: p.left})
	c.received(moved)
	p.left -= moved
	total += moved
	switch {
	case err != nil:
		// Whose error it is cannot be told, nor what was on its way: where the next request
		// begins is lost.
		p.ending, p.err = true, err
		return total, err
	case p.left > 0:
		p.err = io.ErrUnexpectedEOF
		return total, b.over(p.err)
	}
	p.err = io.EOF
	_ = b.over(io.EOF) // it is io.EOF
	return total, nil
}

// spliceLeast is how much must be to come for it to be worth a system call or two to have it
// moved by the kernel.
const spliceLeast = 64 << 10

// copySize is the size of the buffers that bodies are copied with.
const copySize = 32 << 10

// buffer returns a buffer to copy with, and what is put back into copying.
func (s *Server) buffer() (held *[]byte, buf []byte) {
	held, ok := s.copying.Get().(*[]byte)
	if !ok {
		buf = make([]byte, copySize)
		held = &buf
	}
	return held, *held
}
