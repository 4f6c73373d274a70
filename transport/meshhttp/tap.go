package meshhttp

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
)

// offer shows a request of a listener to those who watch, when its response has been
// written, body bytes of it, or could not be, which err says.
func (s *serving) offer(t *tap.Hub, resp *http.Response, body int64, err error, took time.Duration) {
	r, x := s.r, &s.x
	e := tap.Event{
		Time: s.begun, Router: s.h.opts.Label, Peer: r.RemoteAddr, Protocol: r.Proto, Method: r.Method, Host: r.Host, Path: tapPath(r.RequestURI),
		Status: resp.StatusCode, Class: x.class.String(), LatencyMs: took.Seconds() * 1000,
		RequestBytes: r.ContentLength, ResponseBytes: body,
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		e.Server = addr.String()
	}
	switch {
	case s.err != nil:
		e.Error, e.Class = s.err.Error(), weft.Failure.String()
	case x.dest == nil: // an answer of the listener
		e.Class = weft.Failure.String()
	case err != nil && x.gone():
		e.Error, e.Class = err.Error(), weft.Ignored.String()
	case err != nil:
		e.Error, e.Class = err.Error(), weft.Failure.String()
	}
	x.describe(&e)
	header := x.header.Header
	if header == nil {
		header = r.Header
	}
	t.Offer(&e, fieldsOf(header))
}

// offer shows a request of this process to those who watch.
func (x *exchange) offer(t *tap.Hub) {
	req := x.in.caller
	e := tap.Event{
		Time: x.in.begun, Router: x.t.router.Options().Label, Protocol: "HTTP/1.1", Method: req.Method, Host: req.Host, Path: req.URL.RequestURI(),
		Status: x.status, Class: x.class.String(), LatencyMs: time.Since(x.in.begun).Seconds() * 1000,
		RequestBytes: req.ContentLength, ResponseBytes: x.received.Load(),
	}
	if e.Method == "" {
		e.Method = http.MethodGet
	}
	if e.Host == "" {
		e.Host = req.URL.Host
	}
	if req.Body == nil {
		e.RequestBytes = 0
	} else if e.RequestBytes == 0 && req.Body != http.NoBody {
		e.RequestBytes = -1 // net/http's way to say so
	}
	if x.err != nil {
		e.Error = x.err.Error()
	}
	x.describe(&e)
	t.Offer(&e, fieldsOf(x.in.header))
}

// refused shows a request of this process that has no name.
func (x *exchange) refused(err error) {
	if t := x.t.opts.Tap; !x.in.proxied && t.Watched() {
		x.class, x.err = weft.Failure, err
		if x.in.begun.IsZero() {
			x.in.begun = time.Now()
		}
		x.offer(t)
	}
}

// describe adds what became of a request in the mesh.
func (x *exchange) describe(e *tap.Event) {
	e.Attempts, e.Endpoint = x.attempts, x.avoid
	if x.dest != nil {
		e.Service = x.dest.Path().String()
	}
	if x.client != nil {
		e.Client = x.client.ID().String()
	}
	if x.in.ctx == nil {
		return
	}
	if trace, ok := telemetry.TraceFrom(x.in.ctx); ok {
		e.Trace = trace.TraceID()
	}
}

// tapPath returns the path and the query of a request target, as they are. Callers of a proxy send
// the absolute form, http://web/path (RFC 9112, 3.2.2); a filter's path has to match both.
func tapPath(target string) string {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || strings.ContainsAny(scheme, "/?") {
		return target
	}
	i := strings.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '?':
		return "/" + rest[i:]
	default:
		return rest[i:]
	}
}

// fieldsOf returns the headers as package tap takes them.
func fieldsOf(h http.Header) tap.Fields {
	return func(yield func(string, string) bool) {
		for name, values := range h {
			for _, v := range values {
				if !yield(name, v) {
					return
				}
			}
		}
	}
}
