package http2

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
	"time"
)

// errBodyClosed is what a body gives when it is read after Close.
var errBodyClosed = errors.New("http2: read of a closed body")

// bodyOwner is what a body is a part of.
type bodyOwner interface {
	// bodyRead says that n bytes were taken out and more may come.
	bodyRead(n int)
	// bodyClosed says that the body was closed; before its end, if unread.
	bodyClosed(unread bool)
}

// body is the receiving side of a stream as an io.ReadCloser. The connection's reader
// puts in what comes; one reader takes it out and by that gives the stream's window
// back, so that no more than the window is ever held.
type body struct {
	owner  bodyOwner
	before func() // called by every Read before it may wait; nil: nothing

	mu       sync.Mutex
	wake     chan struct{} // holds a token when there is news
	buf      []byte
	off      int
	known    int64 // content-length; -1: none
	err      error // why no more comes; nil: it may
	closed   bool
	trailer  http.Header  // what came after the body
	into     *http.Header // where the trailer is to appear at the end
	deadline time.Time
	timer    *time.Timer // wakes the reader at deadline
}

// init prepares b for a body of known bytes; wake is a channel with room for a token.
func (b *body) init(owner bodyOwner, known int64, wake chan struct{}, into *http.Header) {
	b.owner, b.known, b.wake, b.into = owner, known, wake, into
}

// news wakes the reader.
func (b *body) news() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// add puts p in, after which nothing comes if end. It returns false if nobody will read
// it.
func (b *body) add(p []byte, end bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.err != nil {
		return false
	}
	if end {
		b.err = io.EOF
	}
	if b.off > 0 && len(b.buf)+len(p) > cap(b.buf) {
		b.buf = b.buf[:copy(b.buf, b.buf[b.off:])]
		b.off = 0
	}
	if b.buf == nil && b.known > int64(len(p)) && b.known <= 16<<10 {
		b.buf = make([]byte, 0, b.known) // all that will ever come
	}
	b.buf = append(b.buf, p...)
	b.news()
	return true
}

// end says that no more comes because of err, io.EOF if this is the end, after which
// came trailer. It does nothing after the first call.
func (b *body) end(err error, trailer http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err, b.trailer = err, trailer
		b.news()
	}
}

// fail is end, and what came before but was not read is lost.
func (b *body) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil || b.off < len(b.buf) {
		b.err = err
		b.buf, b.off = nil, 0
	}
	b.news()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.before != nil {
		b.before()
	}
	b.mu.Lock()
	for {
		if n, done, err := b.take(p); done {
			open := b.err == nil
			b.mu.Unlock()
			if n > 0 && open {
				b.owner.bodyRead(n)
			}
			return n, err
		}
		b.mu.Unlock()
		<-b.wake
		b.mu.Lock()
	}
}

// take reads what is there. done is false if that is nothing yet.
func (b *body) take(p []byte) (n int, done bool, err error) {
	switch {
	case b.closed:
		return 0, true, errBodyClosed
	case b.off < len(b.buf):
		n = copy(p, b.buf[b.off:])
		b.off += n
		if b.off < len(b.buf) {
			return n, true, nil
		}
		b.buf, b.off = b.buf[:0], 0
		if b.atEnd() {
			return n, true, io.EOF
		}
		return n, true, nil
	case b.err != nil:
		b.atEnd()
		return 0, true, b.err
	case !b.deadline.IsZero() && !time.Now().Before(b.deadline):
		return 0, true, os.ErrDeadlineExceeded
	case len(p) == 0:
		return 0, true, nil
	}
	return 0, false, nil
}

// atEnd says whether nothing comes because this is the end, and shows the trailer to the
// one who reads then.
func (b *body) atEnd() bool {
	if !errors.Is(b.err, io.EOF) {
		return false
	}
	b.buf = nil
	if b.trailer == nil || b.into == nil {
		return true
	}
	if *b.into == nil {
		*b.into = b.trailer
	} else {
		maps.Copy(*b.into, b.trailer)
	}
	b.trailer = nil
	return true
}

// Close implements io.Closer. It does not wait.
func (b *body) Close() error {
	if first, unread := b.discard(); first {
		b.owner.bodyClosed(unread)
	}
	return nil
}

// discard drops what is there and will come. unread: the end has not come yet.
func (b *body) discard() (first, unread bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false, false
	}
	b.closed = true
	b.buf, b.off = nil, 0
	if b.timer != nil {
		b.timer.Stop()
	}
	b.news()
	return true, b.err == nil
}

// complete says whether all of the body has come.
func (b *body) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err != nil
}

// setDeadline limits the waiting of Read; zero: no limit.
func (b *body) setDeadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline = t
	if b.timer != nil {
		b.timer.Stop()
	}
	if !t.IsZero() && !b.closed {
		b.timer = time.AfterFunc(time.Until(t), b.news)
	}
	b.news()
}
