package meshhttp

import (
	"bufio"
	"context"
	"net"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// MiddlewareOptions configure Middleware. The zero value carries the context and
// records nothing.
type MiddlewareOptions struct {
	// Propagation is the form of the context headers.
	Propagation propagation.Propagator
	// Tracers are told of every request; nil of none. They should be those of the
	// Transport that the handlers use.
	Tracers *telemetry.Tracers
	// Label names the service in its spans; empty means "http".
	Label string
}

// Middleware makes a server's requests carry their mesh context in their
// context.Context: the deadline (which is enforced), the per-request dtab, the trace
// and whatever else the l5d-ctx-* headers have. Calls that a handler makes through a Transport with that context carry
// them onward, without the application doing anything else; those of a request
// that came without a trace share a new one. The headers of the first three are
// removed from the request.
//
// The trace is that of the server's span if Tracers record it, and else that of the
// span that came, so that the handler's calls are part of one that somebody has
// recorded. If it came as traceparent or B3, these headers say the same to the handler,
// for instrumentation of its own.
//
// A per-request dtab that does not parse is answered with 400 and the parser's
// message.
func Middleware(o MiddlewareOptions) func(http.Handler) http.Handler {
	if o.Label == "" {
		o.Label = "http"
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel, err := o.Propagation.Extract(r.Context(), carrier(r.Header), o.Tracers)
			defer cancel()
			if err != nil {
				resp := Respond(r, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}, 0) //nolint:bodyclose // it is in memory
				_, _ = writeResponse(w, r, resp, nil)                                                 // the caller is gone if that fails
				return
			}
			trace, _ := telemetry.TraceFrom(ctx)
			if trace.Forms != 0 {
				o.Propagation.Rewrite(trace, carrier(r.Header))
			}
			span := o.Tracers.Start(trace, telemetry.ServerSpan, o.Label)
			r = r.WithContext(propagation.CarryOn(ctx, r.Header))
			if span == nil {
				next.ServeHTTP(w, r)
				return
			}
			beginServer(span, r)
			watched := &statusWriter{ResponseWriter: w, status: http.StatusOK}
			defer func() {
				tagStatusCode(span, watched.status)
				span.Annotate(telemetry.AnnServerSend)
				span.Annotate(telemetry.AnnWireSend)
				o.Tracers.Finish(span)
			}()
			next.ServeHTTP(watched, r)
		})
	}
}

// statusWriter remembers the status of the response.
type statusWriter struct {
	http.ResponseWriter
	status int
	begun  bool
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if final := status >= http.StatusOK || status == http.StatusSwitchingProtocols; final && !w.begun {
		w.status, w.begun = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher, for those who do not know http.ResponseController.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack implements http.Hijacker, likewise.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// carryOn adds the l5d-ctx-* headers that ctx carries on to those of a call, but for
// those that the caller has set.
func carryOn(ctx context.Context, h http.Header) {
	last := ""
	for key, value := range propagation.Carried(ctx) {
		key = http.CanonicalHeaderKey(key)
		if key == headerTraceState && len(h[headerTraceParent]) > 0 {
			continue // the caller has a trace context of its own
		}
		if _, given := h[key]; given && key != last {
			continue
		}
		h[key] = append(h[key], value)
		last = key
	}
}
