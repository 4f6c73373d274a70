package meshhttp

import (
	"errors"
	"net"
	"net/http"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// The tags that are HTTP's own. Linkerd changed their names in 1.7.5; both are set.
const (
	tagMethod      = "http.method"
	tagURI         = "http.uri"
	tagStatus      = "http.status_code"
	tagReqMethod   = "http.req.method"
	tagReqHost     = "http.req.host"
	tagReqVersion  = "http.req.version"
	tagReqLength   = "http.req.content-length"
	tagReqType     = "http.req.content-type"
	tagRspStatus   = "http.rsp.status"
	tagRspVersion  = "http.rsp.version"
	tagRspLength   = "http.rsp.content-length"
	tagRspType     = "http.rsp.content-type"
	failureService = "Service"
)

// startSpan begins the span of a request that a listener received, nil if nobody
// wants it.
func (h *Handler) startSpan(trace telemetry.Trace, r *http.Request) *telemetry.Span {
	span := h.opts.Transport.opts.Tracers.Start(trace, telemetry.ServerSpan, h.opts.Label)
	if span == nil {
		return nil
	}
	span.Tag(telemetry.TagRouterLabel, h.opts.Label)
	beginServer(span, r)
	return span
}

// beginServer notes what is known of a request when it arrives.
func beginServer(span *telemetry.Span, r *http.Request) {
	span.Annotate(telemetry.AnnWireRecv)
	span.Annotate(telemetry.AnnServerRecv)
	span.Tag(telemetry.TagClientAddr, r.RemoteAddr)
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		span.Tag(telemetry.TagServerAddr, addr.String())
	}
	tagRequest(span, r, requestURI(r), r.Host)
}

// startSpan begins the span of a request that comes from the process itself, if anybody
// wants it: that of the router's part in it, which a proxy's server span is else.
func (x *exchange) startSpan() {
	ts := x.t.opts.Tracers
	trace, _ := telemetry.TraceFrom(x.in.ctx)
	if !ts.Sampled(trace) {
		return
	}
	if own, has := telemetry.TraceFrom(x.in.caller.Context()); has && own.Span == trace.Span {
		trace = trace.Child() // that is the caller's span
	}
	x.in.label = x.t.router.Options().Label
	x.in.span = ts.Start(trace, telemetry.LocalSpan, x.in.label)
	x.in.span.Tag(telemetry.TagRouterLabel, x.in.label)
	x.in.ctx = telemetry.WithTrace(x.in.ctx, trace) //nolint:fatcontext // once for each request
}

// endLocalSpan ends the span that exchange.startSpan began.
func (x *exchange) endLocalSpan(err error) {
	if s := x.in.span; s != nil && !x.in.proxied {
		if err != nil {
			s.Annotate(telemetry.AnnFailure)
			s.Tag(telemetry.TagFailure, failureOf(err))
		}
		x.t.opts.Tracers.Finish(s)
		x.in.span = nil
	}
}

func tagRequest(s *telemetry.Span, r *http.Request, uri, host string) {
	s.Tag(tagMethod, r.Method)
	s.Tag(tagReqMethod, r.Method)
	s.Tag(tagURI, uri)
	if host != "" {
		s.Tag(tagReqHost, host)
	}
	s.Tag(tagReqVersion, r.Proto)
	tagBody(s, r.Header, r.ContentLength, tagReqType, tagReqLength)
}

func tagStatusCode(s *telemetry.Span, status int) {
	code := strconv.Itoa(status)
	s.Tag(tagStatus, code)
	s.Tag(tagRspStatus, code)
}

func tagBody(s *telemetry.Span, h http.Header, length int64, typeKey, lengthKey string) {
	if v := h["Content-Type"]; len(v) > 0 {
		s.Tag(typeKey, v[0])
	}
	if length > 0 {
		s.Tag(lengthKey, strconv.FormatInt(length, 10))
	}
}

// annotateBegin notes what is known before the request leaves, on the client span
// and on the span around it.
func (a *attempt) annotateBegin() {
	s := a.x.in.span
	if s == nil && a.span == nil {
		return
	}
	id := a.pick.Client.ID().String()
	if a.span != nil {
		a.span.Annotate(telemetry.AnnClientSend)
		a.span.Tag(telemetry.TagClientLabel, id)
		tagRequest(a.span, a.x.in.req, a.x.url.RequestURI(), a.x.in.req.Host)
		a.span.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
	}
	if s == nil {
		return
	}
	s.Tag(telemetry.TagClient, id)
	s.Tag(telemetry.TagNamerSuccess, id)
	if !a.pick.Residual.IsEmpty() {
		s.Tag(telemetry.TagResidual, a.pick.Residual.String())
	} else {
		s.Tag(telemetry.TagResidual, "/")
	}
	if a.n > 0 {
		s.Tag(telemetry.TagRetry, strconv.Itoa(a.n))
	}
}

// annotateName notes what the request is called.
func (x *exchange) annotateName() {
	s := x.in.span
	if s == nil {
		return
	}
	service := x.dest.Path().String()
	s.Name = telemetry.SpanName(x.in.label, service)
	s.Tag(telemetry.TagService, service)
	tagDtab(s, telemetry.TagDtabBase, x.t.router.Options().Base)
	tagDtab(s, telemetry.TagDtabLocal, x.dest.Local())
}

// annotateUnbound notes that the name led nowhere.
func (x *exchange) annotateUnbound(err error) {
	if s := x.in.span; s != nil {
		s.Tag(telemetry.TagNamerFailure, err.Error())
	}
}

func tagDtab(s *telemetry.Span, key string, d dtab.Dtab) {
	if len(d) > 0 {
		s.Tag(key, d.String())
	}
}

// annotateEnd notes how the attempt went, when the head of the response is there.
func (a *attempt) annotateEnd(resp *http.Response, class weft.Class) {
	s := a.span
	if s == nil {
		return
	}
	if at := a.sending.wroteAt(); !at.IsZero() {
		s.AnnotateAt(at, telemetry.AnnWireSend)
	}
	if resp != nil {
		s.Annotate(telemetry.AnnWireRecv)
		tagStatusCode(s, resp.StatusCode)
		s.Tag(tagRspVersion, resp.Proto)
		tagBody(s, resp.Header, resp.ContentLength, tagRspType, tagRspLength)
	}
	switch class {
	case weft.Success:
		s.Annotate(telemetry.AnnSuccess)
	case weft.Retryable:
		s.Annotate(telemetry.AnnRetryable)
	case weft.Failure, weft.Ignored:
		s.Annotate(telemetry.AnnFailure)
	}
	s.Annotate(telemetry.AnnClientRecv)
}

// endSpan ends a server span when the response has been written.
func (h *Handler) endSpan(s *telemetry.Span, status int, failure string) {
	if s == nil {
		return
	}
	tagStatusCode(s, status)
	if failure != "" {
		s.Annotate(telemetry.AnnFailure)
		s.Tag(telemetry.TagFailure, failure)
	}
	s.Annotate(telemetry.AnnServerSend)
	s.Annotate(telemetry.AnnWireSend)
	h.opts.Transport.opts.Tracers.Finish(s)
}

// failureOf names where a request failed, as Linkerd's spans do.
func failureOf(err error) string {
	var e *weft.Error
	switch {
	case !errors.As(err, &e):
		return failureService
	case e.Stage == weft.StageIdentify:
		return "Identification"
	case e.Stage == weft.StageBind, e.Stage == weft.StagePick, e.Stage == weft.StageConnect:
		return "ClientAcquisition"
	default:
		return failureService
	}
}
