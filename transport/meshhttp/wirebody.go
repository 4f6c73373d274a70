package meshhttp

import (
	"io"
	"sync/atomic"
)

// wireBody is the body of a response of the HTTP/1.1 engine, which is to be closed
// exactly once: its parts are used again for other responses.
type wireBody struct {
	io.ReadCloser

	whole  bool // it is in memory
	closed atomic.Bool
}

// WriteTo implements io.WriterTo: the engine knows how to have the kernel copy.
func (b *wireBody) WriteTo(w io.Writer) (int64, error) {
	if src, ok := b.ReadCloser.(io.WriterTo); ok {
		return src.WriteTo(w)
	}
	return io.Copy(w, b.ReadCloser)
}

// Close implements io.Closer.
func (b *wireBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.ReadCloser.Close()
}
