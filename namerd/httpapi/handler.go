package httpapi

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/weft-mesh/weft/namerd"
)

// Handler serves the API. It is safe for concurrent use. Close it before the Namerd,
// and before or while its http.Server shuts down (see http.Server.RegisterOnShutdown),
// which waits for the watches otherwise.
type Handler struct {
	n     *namerd.Namerd
	opts  Options
	docs  *documents
	cross *http.CrossOriginProtection

	streams atomic.Int64 // the watches that there are

	ctx    context.Context // ends with Shutdown
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	active int           // requests that have not been answered
	idle   chan struct{} // closed when there is none and there will be none
}

// errClosing is why what waits for a value is ended.
var errClosing = errors.New("namerd is shutting down")

// New returns a Handler that serves n.
func New(n *namerd.Namerd, o Options) *Handler {
	h := &Handler{n: n, opts: o.withDefaults(), cross: http.NewCrossOriginProtection(), idle: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancelCause(context.Background())
	h.docs = newDocuments(n, h.opts.Logger)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	x := &exchange{h: h, r: r, out: newOutlet(w, h.opts.Stalled)}
	if !h.begin() {
		x.fail(http.StatusServiceUnavailable, errClosing.Error())
		return
	}
	defer h.end()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(h.ctx, func() { cancel(errClosing) })()
	defer x.out.hurryAfter(h.ctx)()
	x.ctx = ctx
	x.limitBody()
	x.route()
}

func (h *Handler) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.active++
	return true
}

func (h *Handler) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active--
	if h.closed && h.active == 0 {
		close(h.idle)
	}
}

// Close ends the watches, in order, and everything that waits for a value, and
// returns when no request is left. Later requests are answered with 503. It may be
// called more than once.
func (h *Handler) Close() error { return h.Shutdown(context.Background()) }

// Shutdown is Close that waits at most until ctx ends, and returns its cause then.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		if h.active == 0 {
			close(h.idle)
		}
	}
	h.mu.Unlock()
	h.cancel(errClosing)
	var err error
	select {
	case <-h.idle:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return errors.Join(err, h.docs.Close())
}
