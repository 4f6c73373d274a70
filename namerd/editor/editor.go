package editor

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/proxy/admin"
)

// Options are those of an Editor. The zero value is the default.
type Options struct {
	// Budget is how long a request may ask the store. Zero is 5 s.
	Budget time.Duration

	// NamerBudget is how long a preview waits for namers. Zero is 3 s.
	NamerBudget time.Duration

	// MaxNames is of how many names a preview says what becomes of them. Zero is 500.
	MaxNames int

	// Logger is told of every change that is made. Nil is silent.
	Logger *slog.Logger
}

// Editor serves the namespaces of a namerd to its pages. It is safe for concurrent use.
// Close it before the Namerd.
type Editor struct {
	n      *namerd.Namerd
	opts   Options
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// New returns an Editor.
func New(n *namerd.Namerd, o Options) *Editor {
	if o.Budget == 0 {
		o.Budget = 5 * time.Second
	}
	if o.NamerBudget == 0 {
		o.NamerBudget = 3 * time.Second
	}
	if o.MaxNames == 0 {
		o.MaxNames = 500
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Editor{n: n, opts: o}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// Close ends the requests that wait for something to happen.
func (e *Editor) Close() error {
	e.cancel()
	return nil
}

// Handlers returns the pages by path.
func (e *Editor) Handlers() map[string]http.Handler {
	return map[string]http.Handler{
		"/namespaces.json":        only(e.list, http.MethodGet, http.MethodHead),
		"/namespace.json":         only(e.show, http.MethodGet, http.MethodHead),
		"/namespace/preview.json": only(e.preview, http.MethodPost),
		"/namespace/save.json":    only(e.save, http.MethodPost),
		"/namespace/delete.json":  only(e.delete, http.MethodPost),
	}
}

// only lets requests of some methods through.
func only(h http.HandlerFunc, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(methods, r.Method) {
			w.Header()["Allow"] = methods
			admin.Fault{Message: "Method Not Allowed"}.Write(w, http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	})
}

// context returns that of a request, which ends with the time that it may take and with
// the Editor too.
func (e *Editor) context(r *http.Request, budget time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), budget)
	stop := context.AfterFunc(e.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// failed answers for what the store could not do.
func failed(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, namerd.ErrExists), errors.Is(err, namerd.ErrMismatch):
		status = http.StatusPreconditionFailed
	case errors.Is(err, namerd.ErrMissing):
		status = http.StatusNotFound
	case errors.Is(err, namerd.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, namerd.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, namerd.ErrForbidden):
		status = http.StatusForbidden
	}
	admin.Fault{Message: err.Error()}.Write(w, status)
}
