package meshhttp

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/weft-mesh/weft/transport/http1"
)

// errSuperseded is what a reader of an attempt gets that is no longer the current
// one, errTooLong what net/http gets when it asks for a body again that was not
// kept.
var (
	errSuperseded = errors.New("meshhttp: the body belongs to another attempt")
	errTooLong    = errors.New("meshhttp: the body is too long to be sent again")
)

// replay lets a request body be sent several times. It keeps what it reads while
// it is being sent, up to a limit: a body within the limit can be replayed, one
// beyond it is sent once, and no request waits for its body to be buffered. This
// is the policy of linkerd2-proxy's retries.
//
// An attempt may have ended while net/http still waits for more of the body from a
// slow caller. What arrives then is kept for the next attempt.
type replay struct {
	req   *http.Request // the caller's, for its trailers
	names http.Header   // of the trailers, without values
	limit int
	whole bool // it is all in buf, and nobody reads the source any more
	owned bool // the source must be closed
	state *bodyState

	reading sync.Mutex // held while reading from the source, which may take long

	mu   sync.Mutex // guards the rest; held for moments
	view *replayView
	buf  []byte
	lost bool  // something was read that is not in buf
	err  error // how the source ended
}

// newReplay returns a replay of the body of req. A server's body is closed by the
// server, a client's must be closed by whoever sends it.
func newReplay(req *http.Request, limit int, owned bool) *replay {
	return &replay{req: req, names: clearValues(req.Trailer), limit: limit, owned: owned}
}

// eagerBytes is how long a body may be that is read before it is sent, if that needs
// no waiting: it leaves with the head then, and no goroutine is needed for it.
const eagerBytes = 16 << 10

// load reads a short body that is in memory already: with the head of the request, in
// the engine's buffer, or because a caller in the process made it of bytes.
func (r *replay) load() {
	n := r.req.ContentLength
	if n <= 0 || n > eagerBytes || n > int64(r.limit) || len(r.req.Trailer) > 0 {
		return
	}
	if r.req.GetBody == nil {
		b, ok := r.req.Body.(http1.Buffered)
		if !ok {
			return
		}
		if _, ok = b.Buffered(); !ok {
			return
		}
	}
	buf := make([]byte, n+1) // one more, to see the end
	read, err := io.ReadFull(r.req.Body, buf)
	if r.buf = buf[:read]; errors.Is(err, io.ErrUnexpectedEOF) && int64(read) == n {
		err = io.EOF
	}
	r.err = err
	r.whole = errors.Is(err, io.EOF)
	if r.state != nil {
		r.state.begun.Store(true)
		r.state.ended.Store(true)
	}
}

// freeze keeps the current attempt from reading more of the source, and reports
// whether the body can be sent once more. A nil replay is a request without a body.
func (r *replay) freeze() bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		return false
	}
	r.view = nil
	return true
}

// next returns a reader of the whole body for a new attempt. The reader of the
// previous attempt fails from now on. When the body ends, trailer is filled in.
func (r *replay) next(trailer http.Header) io.ReadCloser {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := &replayView{r: r, trailer: trailer, late: r.lost}
	r.view = v
	return v
}

// again is for http.Request.GetBody.
func (r *replay) again(trailer http.Header) (io.ReadCloser, error) {
	if !r.freeze() {
		return nil, errTooLong
	}
	return r.next(trailer), nil
}

// close ends all reading. It is called when the request is over.
func (r *replay) close() {
	r.mu.Lock()
	r.view, r.lost, r.buf = nil, true, nil
	r.mu.Unlock()
	if r.owned {
		_ = r.req.Body.Close() // it was read as far as anybody wanted it
	}
}

// trailerNames returns a trailer for one attempt, as it is announced. Each attempt
// has its own, since the caller's is written to while the body is read.
func (r *replay) trailerNames() http.Header { return r.names.Clone() }

func clearValues(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	names := make(http.Header, len(h))
	for name := range h {
		names[name] = nil
	}
	return names
}

// replayView is the body of one attempt.
type replayView struct {
	r       *replay
	off     int // of what comes next in buf
	trailer http.Header
	late    bool // a part of the body was lost before
}

// Read implements io.Reader.
func (v *replayView) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r := v.r
	if n, done, err := v.kept(p); done {
		return n, err
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	if n, done, err := v.kept(p); done { // a reader before this one may have read more
		return n, err
	}
	if r.state != nil {
		r.state.begun.Store(true)
	}
	n, err := r.req.Body.Read(p)
	if err != nil && r.state != nil {
		r.state.ended.Store(true)
	}
	return v.read(p[:n], err)
}

// kept reads from what is in memory, if that settles it.
func (v *replayView) kept(p []byte) (n int, done bool, err error) {
	r := v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.view != v:
		return 0, true, errSuperseded
	case v.late:
		return 0, true, errTooLong
	case v.off < len(r.buf):
		n = copy(p, r.buf[v.off:])
		v.off += n
		return n, true, nil
	case r.err != nil:
		return 0, true, v.ended()
	default:
		return 0, false, nil
	}
}

// read keeps what was read from the source.
func (v *replayView) read(p []byte, err error) (int, error) {
	r := v.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	current := r.view == v
	switch {
	case r.lost:
	case len(r.buf)+len(p) <= r.limit || !current:
		r.buf = append(r.buf, p...)
		v.off += len(p)
	default:
		r.lost, r.buf = true, nil // nobody will read it again
	}
	if !current {
		return 0, errSuperseded
	}
	if err != nil {
		err = v.ended()
	}
	return len(p), err
}

// ended returns how the source ended. The caller holds mu.
func (v *replayView) ended() error {
	if errors.Is(v.r.err, io.EOF) {
		for name := range v.trailer {
			v.trailer[name] = v.r.req.Trailer[name]
		}
	}
	return v.r.err
}

// Buffered implements http1.Buffered.
func (v *replayView) Buffered() ([]byte, bool) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if !v.r.whole || v.r.view != v || v.r.buf == nil {
		return nil, false
	}
	return v.r.buf[v.off:], true
}

// Close implements io.Closer. It ends this attempt's reading and keeps the source
// open for the next.
func (v *replayView) Close() error {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if v.r.view == v {
		v.r.view = nil
	}
	return nil
}
