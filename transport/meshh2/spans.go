package meshh2

import (
	"errors"
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

// startSpan begins the span of the request that the listener received, unless nobody
// wants it.
func (x *exchange) startSpan() {
	span := x.r.opts.Tracers.Start(x.req.Trace, telemetry.ServerSpan, x.h.opts.Label)
	if x.span = span; span == nil {
		return
	}
	span.Annotate(telemetry.AnnWireRecv)
	span.Annotate(telemetry.AnnServerRecv)
	span.Tag(telemetry.TagRouterLabel, x.h.opts.Label)
	span.Tag(telemetry.TagClientAddr, x.peer.remote.String())
	span.Tag(telemetry.TagServerAddr, x.peer.local.String())
	span.Tag(tagMethod, x.req.Method)
	span.Tag(tagURI, x.req.Get(namePath))
}

// annotateBegin notes what is known before the request leaves, on the client span
// and on the server span around it.
func (a *attempt) annotateBegin() {
	x := a.x
	if a.span != nil {
		a.span.Tag(tagClientLabel, a.pick.Client.ID().String())
		a.span.Tag(tagMethod, x.req.Method)
		a.span.Tag(tagURI, x.req.Get(namePath))
		a.span.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
		a.span.Annotate(telemetry.AnnClientSend)
	}
	s := x.span
	if s == nil {
		return
	}
	service := x.dest.Path().String()
	s.Name = x.h.opts.Label + " " + service
	s.Tag(telemetry.TagService, service)
	s.Tag(telemetry.TagClient, a.pick.Client.ID().String())
	if !a.pick.Residual.IsEmpty() {
		s.Tag(telemetry.TagResidual, a.pick.Residual.String())
	}
	tagDtab(s, telemetry.TagDtabBase, x.r.router.Options().Base)
	tagDtab(s, telemetry.TagDtabLocal, x.dest.Local())
	if a.n > 0 {
		s.Tag(telemetry.TagRetry, strconv.Itoa(a.n))
	}
}

func tagDtab(s *telemetry.Span, key string, d dtab.Dtab) {
	if len(d) > 0 {
		s.Tag(key, d.String())
	}
}

// annotateHead notes that the head of the response is there.
func (a *attempt) annotateHead() {
	if a.span != nil {
		a.span.Annotate(telemetry.AnnWireRecv)
		a.span.Tag(tagStatus, a.status)
	}
}

// endSpan notes how the attempt went.
func (a *attempt) endSpan(class weft.Class) {
	s := a.span
	if s == nil {
		return
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
	a.x.r.opts.Tracers.Finish(s)
}

// endSpan ends the server span when the response has ended.
func (x *exchange) endSpan() {
	s := x.span
	if s == nil {
		return
	}
	if x.status != "" {
		s.Tag(tagStatus, x.status)
	}
	if x.failure != "" {
		s.Annotate(telemetry.AnnFailure)
		s.Tag(telemetry.TagFailure, x.failure)
	}
	s.Annotate(telemetry.AnnServerSend)
	s.Annotate(telemetry.AnnWireSend)
	x.r.opts.Tracers.Finish(s)
}

// failureOf names where a request failed, as Linkerd's spans do.
func failureOf(err error) string {
	e, ok := errors.AsType[*weft.Error](err)
	switch {
	case !ok:
		return "Service"
	case e.Stage == weft.StageIdentify:
		return "Identification"
	case e.Stage == weft.StageBind, e.Stage == weft.StagePick, e.Stage == weft.StageConnect:
		return "ClientAcquisition"
	default:
		return "Service"
	}
}
