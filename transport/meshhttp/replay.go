package meshhttp

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// errReplayed is what a reader of an attempt gets that is no longer the current
// one.
var errReplayed = errors.New("meshhttp: the body belongs to another attempt")

// errTooLongToReplay is what net/http gets when it asks for a body again.
var errTooLongToReplay = errors.New("meshhttp: the body is too long to be sent again")

// replay lets a request body be sent several times. It keeps what it reads while
// it is being sent, up to a limit: a body within the limit can be replayed, one
// beyond it is sent once, and no request waits for its body to be buffered. This
// is the policy of linkerd2-proxy's retries.
type replay struct {
	limit    int
	overflow atomic.Bool // more was read than may be kept

	mu   sync.Mutex // held while reading, so that two attempts do not interleave
	src  io.ReadCloser
	buf  []byte
	err  error // how the source ended
	view atomic.Pointer[replayView]
}

func newReplay(src io.ReadCloser, limit int) *replay {
	return &replay{src: src, limit: limit}
}

// replayable reports whether the body can be sent once more. A nil replay is a
// request without a body.
func (r *replay) replayable() bool { return r == nil || !r.overflow.Load() }

// next returns a reader of the whole body for a new attempt. The reader of the
// previous attempt fails from now on.
func (r *replay) next() io.ReadCloser {
	v := &replayView{r: r}
	r.view.Store(v)
	return v
}

// getBody is http.Request.GetBody.
func (r *replay) getBody() (io.ReadCloser, error) {
	if !r.replayable() {
		return nil, errTooLongToReplay
	}
	return r.next(), nil
}

// close closes the source. It is called when the request is over.
func (r *replay) close() error {
	r.view.Store(nil)
	return r.src.Close()
}

// replayView is the body of one attempt.
type replayView struct {
	r   *replay
	off int
}

// Read implements io.Reader.
func (v *replayView) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r := v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view.Load() != v {
		return 0, errReplayed
	}
	if v.off < len(r.buf) {
		n := copy(p, r.buf[v.off:])
		v.off += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.src.Read(p)
	r.err = err
	if !r.overflow.Load() {
		if len(r.buf)+n <= r.limit {
			r.buf = append(r.buf, p[:n]...)
			v.off += n
		} else {
			r.overflow.Store(true)
			r.buf, v.off = nil, 0 // nobody will read it again
		}
	}
	return n, err
}

// Close implements io.Closer. It ends this attempt's reading and keeps the source
// open for the next.
func (v *replayView) Close() error {
	v.r.view.CompareAndSwap(v, nil)
	return nil
}
