package meshhttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
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
	// Metrics is the scope rt/<label>/server/<ip>/<port>; nil records nothing.
	Metrics *telemetry.Scope
}

// NoCompression is the ServerOptions.Compression that leaves responses alone.
const NoCompression = -1

// Handler is an http.Handler that serves requests through a Transport: the
// reference proxy behind a listener. It is safe for concurrent use.
type Handler struct {
	opts   ServerOptions
	stats  *serverStats
	active atomic.Int64
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
	h.stats.begin()
	resp, cancel := h.serve(w, r)
	defer cancel()
	if h.opts.ClearContext {
		clearResponse(resp)
	}
	err := h.write(w, r, resp)
	h.stats.end(resp, err, time.Since(begun))
	if errors.Is(err, errAborted) {
		// The head has been sent: cutting the connection is the only way left to say
		// that the body is not whole.
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to abort a response
	}
}

// serve returns the response to r. cancel releases what it holds, after the body
// was written.
func (h *Handler) serve(_ http.ResponseWriter, r *http.Request) (*http.Response, context.CancelFunc) {
	none := func() {}
	if resp := h.tooLarge(r); resp != nil {
		return resp, none
	}
	// The caller's context headers first: a bad dtab is the caller's mistake and is
	// answered before anything else looks at the request.
	if h.opts.ClearContext {
		stripL5d(r.Header)
	}
	ctx, cancel, err := h.opts.Transport.opts.Propagation.Extract(r.Context(), carrierOf(r.Header))
	if err != nil {
		cancel()
		return h.respond(r, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}), none
	}
	if h.opts.Forwarded != nil {
		h.opts.Forwarded.add(r)
	}
	if h.opts.TimestampHeader != "" {
		r.Header.Add(h.opts.TimestampHeader, strconv.FormatInt(time.Now().UnixMilli(), 10))
	}
	if n := callDepth(r.Header); n > h.opts.MaxCallDepth {
		cancel()
		text := "Maximum number of calls (" + strconv.Itoa(h.opts.MaxCallDepth) + ") has been exceeded. Please check for proxy loops."
		return textResponse(r, http.StatusBadRequest, text, true), none
	}
	// A server span begins here; what the transport finds out is added to it.
	trace, ok := telemetry.TraceFrom(ctx)
	if !ok {
		trace = telemetry.NewTrace()
		ctx = telemetry.WithTrace(ctx, trace)
	}
	span := h.startSpan(trace, r)
	ctx = withSpan(ctx, span)

	if h.opts.MaxConcurrent > 0 {
		if h.active.Add(1) > int64(h.opts.MaxConcurrent) {
			h.active.Add(-1)
			cancel()
			return overloaded(r), none
		}
	}
	release := cancel
	cancel = func() {
		if h.opts.MaxConcurrent > 0 {
			h.active.Add(-1)
		}
		span.Annotate(telemetry.AnnServerSend)
		h.opts.Transport.opts.Tracers.Finish(span)
		release()
	}
	// The timeout is the innermost, so that it measures the request and not what
	// kept it waiting before. It ends when the response begins.
	loop, stop := h.timeout(ctx)
	defer stop()
	resp, err := h.opts.Transport.RoundTrip(r.WithContext(loop))
	if err != nil {
		span.Annotate(telemetry.AnnFailure)
		return h.respond(r, err), cancel
	}
	return resp, cancel
}

// timeout limits the time to the head of the response: it ends ctx early, and
// stop keeps it from doing so later.
func (h *Handler) timeout(ctx context.Context) (context.Context, func()) {
	limit := h.opts.Timeout
	if limit <= 0 {
		return ctx, func() {}
	}
	now := time.Now()
	ctx = propagation.Advertise(ctx, propagation.Deadline{Timestamp: now, At: now.Add(limit)})
	ctx, cancel := context.WithCancelCause(ctx)
	t := time.AfterFunc(limit, func() {
		cancel(&weft.Error{Stage: weft.StageDeadline, Err: &transport.TimeoutError{Limit: limit, To: h.opts.Label}})
	})
	return ctx, func() { t.Stop() }
}

func (h *Handler) startSpan(trace telemetry.Trace, r *http.Request) *telemetry.Span {
	span := h.opts.Transport.opts.Tracers.Start(trace, telemetry.ServerSpan, h.opts.Label)
	if span == nil {
		return nil
	}
	span.Annotate(telemetry.AnnServerRecv)
	span.Tag(telemetry.TagRouterLabel, h.opts.Label)
	span.Tag(telemetry.TagClientAddr, r.RemoteAddr)
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		span.Tag(telemetry.TagServerAddr, addr.String())
	}
	span.Tag("http.method", r.Method)
	span.Tag("http.uri", requestURI(r))
	return span
}

// respond makes the response for an error, cut to the configured size.
func (h *Handler) respond(r *http.Request, err error) *http.Response {
	return Respond(r, err, h.opts.MaxHeaderBytes)
}

// tooLarge refuses heads beyond the limits.
func (h *Handler) tooLarge(r *http.Request) *http.Response {
	code := 0
	if len(r.Method)+len(r.RequestURI)+len(r.Proto)+2 > h.opts.MaxInitialLineBytes {
		code = http.StatusRequestURITooLong
	}
	size := len("Host: ") + len(r.Host) + 2
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
	}
	if size > h.opts.MaxHeaderBytes && code == 0 {
		code = http.StatusRequestHeaderFieldsTooLarge
	}
	if code == 0 {
		return nil
	}
	resp := newResponse(r, code, nil)
	resp.Header["Connection"] = []string{"close"}
	return resp
}

// overloaded says that the request was not processed and may be sent again. It has
// no l5d-err, as in Linkerd: it is an answer of this server, not of the mesh.
func overloaded(r *http.Request) *http.Response {
	text := "Request was not processed by the server due to an error and is safe to retry"
	if r.Method == http.MethodHead {
		text = ""
	}
	resp := newResponse(r, http.StatusServiceUnavailable, []byte(text))
	resp.Header[headerNack] = []string{"true"}
	resp.Header["Retry-After"] = []string{"0"}
	return resp
}

// clearResponse removes what the mesh says about itself.
func clearResponse(resp *http.Response) {
	if !stripL5d(resp.Header) {
		return
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	resp.Body, resp.ContentLength = http.NoBody, 0
	resp.Header["Content-Length"] = []string{"0"}
	delete(resp.Header, "Content-Type")
	resp.Trailer = nil
}
