package meshhttp

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// serving is one request at a Handler.
type serving struct {
	h       *Handler
	r       *http.Request
	begun   time.Time
	span    *telemetry.Span
	status  int
	failure string // where the request failed, for the span
	err     error  // of the mesh, which the response tells of
	refused bool   // since there are too many requests
	counted bool   // among those that MaxConcurrent bounds
	written bool   // the whole response was
	body    io.Closer

	x exchange

	// req is the request as the mesh sees it. It belongs to this serving, and so does
	// its context, so that neither is made anew for every request.
	req *http.Request
	ctx servingContext
}

// servingContext is a context that is another one for each request.
type servingContext struct{ context.Context } //nolint:containedctx // it is a context itself

// serve returns a serving for r.
func (h *Handler) serve(r *http.Request, begun time.Time) *serving {
	s, _ := h.servings.Get().(*serving)
	if s == nil {
		s = &serving{}
		s.req = (&http.Request{}).WithContext(&s.ctx)
	}
	s.h, s.r, s.begun = h, r, begun
	return s
}

// recycle lets another request use s, if nobody can have kept a part of it: there
// was one attempt, it came to its end in this goroutine, and nothing but the wire
// has seen it, which says that it has let go of it.
func (s *serving) recycle() {
	x := &s.x
	a := &x.first
	if !s.written || !x.ended || x.attempts != 1 || x.body != nil && !x.body.whole || x.upgrade != "" || a.cancel != nil || !a.sending.clean || s.span != nil {
		return
	}
	h, req := s.h, s.req
	*s = serving{req: req}
	h.servings.Put(s)
}

// inner fills in the mesh's own view of the caller's request.
func (s *serving) inner(r *http.Request, ctx context.Context, header http.Header) *http.Request { //nolint:revive // the request is what it is about
	s.ctx.Context = ctx //nolint:fatcontext // it replaces that of another request
	q := s.req
	q.Method, q.URL, q.RequestURI, q.Host = r.Method, r.URL, r.RequestURI, r.Host
	q.Proto, q.ProtoMajor, q.ProtoMinor = r.Proto, r.ProtoMajor, r.ProtoMinor
	q.Header, q.Trailer, q.TransferEncoding = header, r.Trailer, r.TransferEncoding
	q.Body, q.ContentLength, q.Close = r.Body, r.ContentLength, r.Close
	q.RemoteAddr, q.TLS, q.Form, q.PostForm, q.MultipartForm = r.RemoteAddr, r.TLS, nil, nil, nil
	return q
}

// respond returns the response to the request.
func (s *serving) respond() *http.Response {
	h, r := s.h, s.r
	if !h.opts.Recycle {
		if resp := h.refuse(r); resp != nil {
			return resp
		}
	}
	s.x.t = h.opts.Transport
	in := &s.x.in
	*in = inbound{
		caller: r, req: originForm(r), ctx: r.Context(), header: r.Header,
		begun: s.begun, timeout: h.opts.Timeout, label: h.opts.Label, proxied: true,
	}
	if !h.opts.Recycle {
		in.header = r.Header.Clone()
	}
	// The caller's context headers first: a bad dtab is the caller's mistake and is
	// answered before anything else looks at the request. Where nothing of the
	// caller's context is taken, its trace is not either.
	if h.opts.ClearContext {
		stripL5d(in.header)
		o := &h.opts.Transport.opts
		s.x.trace.Trace = o.Propagation.Restart(carrier(in.header), o.Tracers)
		s.x.trace.Context = in.ctx //nolint:fatcontext // once for each request
		in.ctx = &s.x.trace
	} else {
		var err error
		if in.ctx, in.deadline, err = extract(in.ctx, &h.opts.Transport.opts, in.header, &s.x.trace); err != nil {
			return s.fail(err)
		}
	}
	if h.opts.Forwarded != nil {
		in.header["Forwarded"] = append(in.header["Forwarded"], h.opts.Forwarded.of(r))
	}
	if h.opts.TimestampHeader != "" {
		in.header.Add(h.opts.TimestampHeader, strconv.FormatInt(s.begun.UnixMilli(), 10))
	}
	if n := callDepth(in.header); n > h.opts.MaxCallDepth {
		text := "Maximum number of calls (" + strconv.Itoa(h.opts.MaxCallDepth) + ") has been exceeded. Please check for proxy loops."
		return textResponse(r, http.StatusBadRequest, text, true)
	}
	// A server span begins here; what the transport finds out is added to it.
	trace, _ := telemetry.TraceFrom(in.ctx)
	s.span = h.startSpan(trace, r)
	in.span = s.span

	if h.opts.MaxConcurrent > 0 {
		s.counted = true
		if h.active.Add(1) > int64(h.opts.MaxConcurrent) {
			s.refused = true
			return overloaded(r)
		}
	}
	// The identifier sees the headers as they are now, without the caller's context.
	in.req = s.inner(in.req, in.ctx, in.header)
	in.ctx = &s.ctx
	if r.ContentLength != 0 {
		in.body = &bodyState{}
	}
	resp, err := s.x.carry()
	if err != nil {
		resp = s.fail(err)
	}
	if in.body.halfRead() {
		// The engine may be reading the body for as long as the caller sends it. The
		// connection cannot be used for another request then: net/http panics if two
		// read it.
		resp.Header["Connection"] = []string{"close"}
	}
	return resp
}

// fail returns the response for an error.
func (s *serving) fail(err error) *http.Response {
	s.failure, s.err = failureOf(err), err
	return respond(s.r, err, s.h.opts.MaxHeaderBytes, s.h.opts.MaxErrBytes)
}

// end is called when the response has been written, or was given up.
func (s *serving) end() {
	if s.counted {
		s.h.active.Add(-1)
	}
	s.h.endSpan(s.span, s.status, s.failure)
	if s.body != nil {
		_ = s.body.Close() // its error is the reader's, which has been seen
	}
	s.recycle()
}

// refuse answers requests whose head is beyond the limits or is none.
func (h *Handler) refuse(r *http.Request) *http.Response {
	var code int
	switch {
	case len(r.Method)+len(r.RequestURI)+len(r.Proto)+2 > h.opts.MaxInitialLineBytes:
		code = http.StatusRequestURITooLong
	case headSize(r) > h.opts.MaxHeaderBytes:
		code = http.StatusRequestHeaderFieldsTooLarge
	case !ascii(r.RequestURI):
		code = http.StatusBadRequest
	default:
		return nil
	}
	resp := newResponse(r, code, nil)
	resp.Header["Connection"] = []string{"close"}
	return resp
}

// headSize is about how many bytes the headers of r took.
func headSize(r *http.Request) int {
	size := len("Host: ") + len(r.Host) + 2
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
	}
	return size
}

// ascii reports whether a request line can have s in it (RFC 9112, 3.2).
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
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

// emptied is a body that nobody is to read, closed with the response it is of.
type emptied struct {
	io.Reader
	io.Closer
}

// clearResponse removes what the mesh says about itself.
func clearResponse(resp *http.Response) {
	if !stripL5d(resp.Header) {
		return
	}
	resp.Body, resp.ContentLength = emptied{http.NoBody, resp.Body}, 0
	resp.Header["Content-Length"] = []string{"0"}
	delete(resp.Header, "Content-Type")
	resp.Trailer = nil
}
