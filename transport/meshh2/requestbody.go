package meshh2

import "golang.org/x/net/http2/hpack"

// requestBody is what has come of a request after its head, as far as it may be
// needed again: for an attempt that has no stream yet, or for another one.
type requestBody struct {
	buf     []byte // from the beginning, unless dropped
	limit   int    // of what is kept once it has been sent
	dropped bool   // buf is not kept any more
	tooLong bool   // because the request is longer than limit
	ended   bool   // the caller has sent everything
	trailer []hpack.HeaderField
}

// keep adds a piece that is being sent.
func (b *requestBody) keep(p []byte) {
	switch {
	case b.dropped || len(p) == 0:
	case len(b.buf)+len(p) > b.limit:
		b.buf, b.dropped, b.tooLong = nil, true, true
	default:
		b.buf = append(b.buf, p...)
	}
}

// pending adds a piece that cannot be sent yet.
func (b *requestBody) pending(p []byte) {
	if len(p) > 0 {
		b.buf = append(b.buf, p...)
	}
}

// sent is called when all of buf was.
func (b *requestBody) sent() {
	if len(b.buf) > b.limit {
		b.buf, b.dropped, b.tooLong = nil, true, true
	}
}

// release is called when there will be no more attempts.
func (b *requestBody) release() { b.buf, b.trailer, b.dropped = b.buf[:0], nil, true }

// largestReused bounds the memory of bodies that the next request finds.
const largestReused = 4 << 10

// reused returns the memory of a body without what was in it.
func reused(b []byte) []byte {
	if cap(b) > largestReused {
		return nil
	}
	return b[:0]
}
