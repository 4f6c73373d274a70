package http1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// upload writes a request body while the response may already be read. It has a
// goroutine, which ends when the body has been written, or when the Read that is under
// way returns after the exchange was given up: a caller that is slow to send its body
// keeps that goroutine, and nothing else, waiting. The body is closed by it, so never
// during a Read.
type upload struct {
	c       *poolConn
	x       *Exchange
	trace   *httptrace.ClientTrace // may be nil
	body    outgoing
	trailer http.Header

	unclear bool          // err may be of the body as well as of the connection
	last    atomic.Bool   // all that is left is being written
	aborted atomic.Bool   // nobody wants more of it
	done    chan struct{} // closed after err was set
	err     error
}

// uploadBuffer is the size of the buffer that a body is copied with.
const uploadBuffer = 32 << 10

// lastWrite is how long an exchange waits for the last write of an upload to return,
// when the response is complete: the endpoint has answered it already.
const lastWrite = 100 * time.Millisecond

// errAborted ends an upload whose exchange is over.
var errAborted = errors.New("http1: the response ended before the request")

// bodyError is an error of the caller's body.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "http1: reading the request body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// startUpload begins to write body to c.
func startUpload(c *poolConn, x *Exchange, trace *httptrace.ClientTrace, body outgoing, trailer http.Header) *upload {
	u := &upload{c: c, x: x, trace: trace, body: body, trailer: trailer, done: make(chan struct{})}
	go u.run()
	return u
}

func (u *upload) run() {
	err := u.write()
	if err == nil {
		u.x.written()
		if u.trace != nil && u.trace.WroteRequest != nil {
			u.trace.WroteRequest(httptrace.WroteRequestInfo{})
		}
	}
	u.err = err
	close(u.done)
	// After a failed write the response is still read: the endpoint may have answered
	// and closed its end, because it does not want the rest. Otherwise there can be no
	// response, and c, which nobody will use again, is given up.
	if u.ours() || u.bodyFails() {
		u.c.interrupt()
	}
	u.body.close()
}

// bodyFails finds out whether an error that may be the body's is: then it comes again.
func (u *upload) bodyFails() bool {
	if !u.unclear || u.aborted.Load() {
		return false
	}
	_, err := u.body.src.Read(make([]byte, 1))
	return err != nil && err != io.EOF
}

// finish ends the upload and reports whether the connection can be used again.
func (u *upload) finish() bool {
	select {
	case <-u.done:
		return u.err == nil
	default:
	}
	if u.last.Load() {
		t := time.NewTimer(lastWrite)
		defer t.Stop()
		select {
		case <-u.done:
			return u.err == nil
		case <-t.C:
		}
	}
	u.aborted.Store(true)
	return false
}

// failure returns the error that ended the upload, nil if there is none (yet).
func (u *upload) failure() error {
	select {
	case <-u.done:
		return u.err
	default:
		return nil
	}
}

// ours reports whether what ended the upload, which it has, was not the endpoint's doing.
func (u *upload) ours() bool {
	_, ours := errors.AsType[*bodyError](u.err)
	return ours || isTimeout(u.err)
}

func (u *upload) write() error {
	switch {
	case u.body.length < 0:
		return u.writeChunked()
	case u.body.mem != nil:
		u.last.Store(true)
		_, err := u.c.Write(u.body.mem)
		return err
	}
	if w, ok := u.body.src.(io.WriterTo); ok && u.body.length > spliceMin {
		return u.writeWhole(w)
	}
	return u.writeSized()
}

// writeWhole lets the body write itself, which may be done by the kernel.
func (u *upload) writeWhole(w io.WriterTo) error {
	to := &uploadWriter{u: u, left: u.body.length}
	_, err := w.WriteTo(to)
	switch {
	case to.err != nil:
		return to.err
	case err != nil:
		return &bodyError{err}
	case to.left > 0:
		return u.short(to.left)
	}
	return nil
}

func (u *upload) short(missing int64) error {
	return &bodyError{fmt.Errorf("http1: length %d, and a body of %d bytes: %w", u.body.length, u.body.length-missing, io.ErrUnexpectedEOF)}
}

// writeSized writes a body of known length. What a body has beyond its length is not
// sent: at worst the endpoint would take it for another request.
func (u *upload) writeSized() error {
	held, buf := u.c.pool.buffer()
	defer u.c.pool.spares.buffers.Put(held)
	for left := u.body.length; left > 0; {
		if u.aborted.Load() {
			return errAborted
		}
		n, err := u.body.src.Read(buf[:min(left, int64(len(buf)))])
		left -= int64(n)
		if u.aborted.Load() {
			return errAborted
		}
		u.last.Store(left == 0)
		if n > 0 {
			if _, err := u.c.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case left == 0:
		case err == io.EOF:
			return u.short(left)
		case err != nil:
			return &bodyError{err}
		}
	}
	return nil
}

// Room for the line before a chunk, and after it.
const (
	chunkAhead = 8
	chunkAfter = 2
)

func (u *upload) writeChunked() error {
	held, buf := u.c.pool.buffer()
	defer u.c.pool.spares.buffers.Put(held)
	for {
		if u.aborted.Load() {
			return errAborted
		}
		n, err := u.body.src.Read(buf[chunkAhead : len(buf)-chunkAfter])
		if u.aborted.Load() {
			return errAborted
		}
		end := err == io.EOF
		var line [chunkAhead]byte
		out := buf[:0]
		if n > 0 {
			size := appendChunk(line[:0], n)
			begin := chunkAhead - len(size)
			copy(buf[begin:], size)
			out = buf[begin : chunkAhead+n+chunkAfter]
			copy(out[len(out)-chunkAfter:], "\r\n")
		}
		if end {
			u.last.Store(true)
			out = appendLastChunk(out, u.trailer)
		}
		if len(out) > 0 {
			if _, err := u.c.Write(out); err != nil {
				return err
			}
		}
		switch {
		case end:
			return nil
		case err != nil:
			return &bodyError{err}
		}
	}
}

// uploadWriter writes as much of a body as it should have.
type uploadWriter struct {
	u    *upload
	left int64
	err  error // of the connection
}

// Write implements io.Writer.
func (w *uploadWriter) Write(p []byte) (int, error) {
	if w.u.aborted.Load() {
		w.err = errAborted
	}
	if w.err != nil {
		return 0, w.err
	}
	want := p[:min(w.left, int64(len(p)))]
	w.left -= int64(len(want))
	w.u.last.Store(w.left == 0)
	if n, err := w.u.c.Write(want); err != nil {
		w.err = err
		return n, err
	}
	return len(p), nil
}

// ReadFrom implements io.ReaderFrom, so that the kernel can move the bytes from one
// connection to the other.
func (w *uploadWriter) ReadFrom(r io.Reader) (int64, error) {
	c := w.u.c
	lim, ok := r.(*io.LimitedReader)
	if c.tcp == nil || c.pool.o.WriteTimeout > 0 || !ok || lim.N > w.left {
		return io.Copy(writerOnly{w}, r)
	}
	n, err := c.tcp.ReadFrom(r)
	c.sent(n)
	w.left -= n
	if err != nil {
		w.err, w.u.unclear = err, true
	}
	return n, err
}

// isTimeout reports whether err is that of a deadline.
func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}
