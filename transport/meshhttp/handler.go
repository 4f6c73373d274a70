package meshhttp

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// ServerOptions configure a Handler: what Linkerd's servers section says of one
// listener.
type ServerOptions struct {
	// Transport takes the requests on. It is required.
	Transport *Transport
	// Label is the router's, for texts.
	Label string
	// ClearContext removes every l5d-* header of a request before anything reads it,
	// and of a response, whose body goes too if it was an error of the mesh. It is
	// for listeners that outsiders reach.
	ClearContext bool
	// Forwarded adds a Forwarded header; nil adds none.
	Forwarded *Forwarded
	// TimestampHeader, if set, is added with the time of arrival in milliseconds.
	TimestampHeader string
	// MaxCallDepth is how many hops a request may have in Via; zero means 1000.
	MaxCallDepth int
	// MaxConcurrent bounds the requests under way; zero is no bound. There is no
	// queue.
	MaxConcurrent int
	// Timeout limits a request; zero is no limit.
	Timeout time.Duration
	// MaxHeaderBytes and MaxInitialLineBytes limit the head of a request; zero means
	// 8 KiB and 4 KiB. MaxErrBytes limits the bodies of errors; zero means 5 MiB.
	MaxHeaderBytes, MaxInitialLineBytes, MaxErrBytes int
	// Compression is Linkerd's compressionLevel: 0 compresses textual responses for
	// callers that accept it, 1 to 9 every response at that level, NoCompression
	// none.
	Compression int
	// Recycle is for an http1.Server with the same option: the headers of its requests
	// are the handler's to change, and it has held their heads against the limits.
	Recycle bool
	// Tunnel is called with each caller's connection that becomes a tunnel, and returns
	// what is used in its place; nil leaves it as it is.
	Tunnel func(net.Conn) net.Conn
	// Metrics is the scope rt/<label>/server/<ip>/<port>; nil records nothing.
	Metrics *telemetry.Scope
}

// NoCompression is the ServerOptions.Compression that leaves responses alone.
const NoCompression = -1

// Handler is an http.Handler that serves requests through a Transport: the
// reference proxy behind a listener. It is safe for concurrent use.
//
// The http.Server around it should allow heads of MaxHeaderBytes and
// MaxInitialLineBytes together, and have DisableGeneralOptionsHandler set.
type Handler struct {
	opts     ServerOptions
	stats    *serverStats
	active   atomic.Int64
	buffers  sync.Pool // of *[]byte, for copying bodies
	servings sync.Pool // of *serving
	gzip     gzipWriters
}

// NewHandler returns a Handler.
func NewHandler(opts ServerOptions) *Handler {
	if opts.MaxCallDepth <= 0 {
		opts.MaxCallDepth = 1000
	}
	if opts.MaxHeaderBytes <= 0 {
		opts.MaxHeaderBytes = 8 << 10
	}
	if opts.MaxInitialLineBytes <= 0 {
		opts.MaxInitialLineBytes = 4 << 10
	}
	if opts.MaxErrBytes <= 0 {
		opts.MaxErrBytes = 5 << 20
	}
	return &Handler{opts: opts, stats: newServerStats(opts.Metrics)}
}

// ServeHTTP implements http.Handler. The order of the steps is Linkerd's.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	if r.ContentLength != 0 {
		// Otherwise net/http wants the whole body before it lets the response begin, and
		// a caller that waits for one to go on with the other would wait for ever.
		_ = http.NewResponseController(w).EnableFullDuplex() // not all writers need it
	}
	h.stats.begin()
	s := h.serve(r, begun)
	defer s.end()       // also when the response is cut off below
	resp := s.respond() //nolint:bodyclose // s.end closes it
	s.status, s.body = resp.StatusCode, resp.Body
	if h.opts.ClearContext {
		clearResponse(resp)
	}
	body, err := h.write(w, r, resp)
	took := time.Since(begun)
	h.stats.end(s, resp, body, err, took)
	if t := h.opts.Transport.opts.Tap; t.Watched() {
		s.offer(t, resp, body, err, took)
	}
	s.written = err == nil
	if errors.Is(err, errAborted) {
		// The head has been sent: cutting the connection is the only way left to say
		// that the body is not whole.
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to abort a response
	}
}
