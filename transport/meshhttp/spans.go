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

// The tags that are HTTP's own, in the spelling of Linkerd 1.7.5, and the one of
// Finagle's client.
const (
	tagMethod      = "http.method"
	tagURI         = "http.uri"
	tagStatus      = "http.status_code"
	tagClientLabel = "clnt/finagle.label"
)

// startSpan begins the span of a request that a listener received, nil if nobody
// wants it.
func (h *Handler) startSpan(trace telemetry.Trace, r *http.Request) *telemetry.Span {
	span := h.opts.Transport.opts.Tracers.Start(trace, telemetry.ServerSpan, h.opts.Label)
	if span == nil {
		return nil
	}
	span.Annotate(telemetry.AnnWireRecv)
	span.Annotate(telemetry.AnnServerRecv)
	span.Tag(telemetry.TagRouterLabel, h.opts.Label)
	span.Tag(telemetry.TagClientAddr, r.RemoteAddr)
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		span.Tag(telemetry.TagServerAddr, addr.String())
	}
	span.Tag(tagMethod, r.Method)
	span.Tag(tagURI, requestURI(r))
	return span
}

// annotateBegin notes what is known before the request leaves, on the client span
// and on the server span around it.
func (a *attempt) annotateBegin() {
	if a.span != nil {
		a.span.Tag(tagClientLabel, a.pick.Client.ID().String())
		a.span.Tag(tagMethod, a.x.in.req.Method)
		a.span.Tag(tagURI, a.x.url.RequestURI())
		a.span.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
		a.span.Annotate(telemetry.AnnClientSend)
	}
	s := a.x.in.span
	if s == nil {
		return
	}
	service := a.x.dest.Path().String()
	s.Name = a.x.in.label + " " + service
	s.Tag(telemetry.TagService, service)
	s.Tag(telemetry.TagClient, a.pick.Client.ID().String())
	if !a.pick.Residual.IsEmpty() {
		s.Tag(telemetry.TagResidual, a.pick.Residual.String())
	}
	tagDtab(s, telemetry.TagDtabBase, a.x.t.router.Options().Base)
	tagDtab(s, telemetry.TagDtabLocal, a.x.dest.Local())
	if a.n > 0 {
		s.Tag(telemetry.TagRetry, strconv.Itoa(a.n))
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
		s.Annotations = append(s.Annotations, telemetry.Annotation{Time: at, Value: telemetry.AnnWireSend})
	}
	if resp != nil {
		s.Annotate(telemetry.AnnWireRecv)
		s.Tag(tagStatus, strconv.Itoa(resp.StatusCode))
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
	s.Tag(tagStatus, strconv.Itoa(status))
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
		return "Service"
	case e.Stage == weft.StageIdentify:
		return "Identification"
	case e.Stage == weft.StageBind, e.Stage == weft.StagePick, e.Stage == weft.StageConnect:
		return "ClientAcquisition"
	default:
		return "Service"
	}
}
