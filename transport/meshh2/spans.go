package meshh2

import (
	"errors"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
)

// The tags that are HTTP's own. Linkerd changed their names in 1.7.5, and had others for
// h2 before; all are set.
const (
	tagMethod      = "http.method"
	tagURI         = "http.uri"
	tagStatus      = "http.status_code"
	tagReqMethod   = "http.req.method"
	tagReqHost     = "http.req.host"
	tagReqVersion  = "http.req.version"
	tagRspStatus   = "http.rsp.status"
	tagH2Method    = "h2.req.method"
	tagH2Scheme    = "h2.req.scheme"
	tagH2Authority = "h2.req.authority"
	tagH2Path      = "h2.req.path"
	tagH2Status    = "h2.rsp.status"
	failureService = "Service"
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
	tagRequest(span, &x.req)
}

func tagRequest(s *telemetry.Span, r *Request) {
	authority, path := r.Get(nameAuthority), r.Get(namePath)
	s.Tag(tagMethod, r.Method)
	s.Tag(tagReqMethod, r.Method)
	s.Tag(tagURI, path)
	s.Tag(tagReqHost, authority)
	s.Tag(tagReqVersion, "HTTP/2.0")
	s.Tag(tagH2Method, r.Method)
	s.Tag(tagH2Scheme, r.Get(nameScheme))
	s.Tag(tagH2Authority, authority)
	s.Tag(tagH2Path, path)
}

func tagStatusCode(s *telemetry.Span, status string) {
	s.Tag(tagStatus, status)
	s.Tag(tagRspStatus, status)
	s.Tag(tagH2Status, status)
}

// annotateName notes what the request is called.
func (x *exchange) annotateName() {
	s := x.span
	if s == nil {
		return
	}
	service := x.dest.Path().String()
	s.Name = telemetry.SpanName(x.h.opts.Label, service)
	s.Tag(telemetry.TagService, service)
	tagDtab(s, telemetry.TagDtabBase, x.r.router.Options().Base)
	tagDtab(s, telemetry.TagDtabLocal, x.dest.Local())
}

// annotateBegin notes what is known before the request leaves, on the client span
// and on the server span around it.
func (a *attempt) annotateBegin() {
	x := a.x
	s := x.span
	if s == nil && a.span == nil {
		return
	}
	id := a.pick.Client.ID().String()
	if a.span != nil {
		a.span.Annotate(telemetry.AnnClientSend)
		a.span.Tag(telemetry.TagClientLabel, id)
		tagRequest(a.span, &x.req)
		a.span.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
	}
	if s == nil {
		return
	}
	s.Tag(telemetry.TagClient, id)
	s.Tag(telemetry.TagNamerSuccess, id)
	if a.pick.Residual.IsEmpty() {
		s.Tag(telemetry.TagResidual, "/")
	} else {
		s.Tag(telemetry.TagResidual, a.pick.Residual.String())
	}
	if a.n > 0 {
		s.Tag(telemetry.TagRetry, strconv.Itoa(a.n))
	}
}

func tagDtab(s *telemetry.Span, key string, d dtab.Dtab) {
	if len(d) > 0 {
		s.Tag(key, d.String())
	}
}

// annotateSent notes that the head of the request has been written.
func (a *attempt) annotateSent() {
	if a.span == nil {
		return
	}
	a.span.Annotate(telemetry.AnnWireSend)
	if nc := a.out.Conn().NetConn(); nc != nil {
		a.span.Tag(telemetry.TagClientAddr, nc.LocalAddr().String())
	}
}

// annotateHead notes that the head of the response is there.
func (a *attempt) annotateHead() {
	if a.span != nil {
		a.span.Annotate(telemetry.AnnWireRecv)
		tagStatusCode(a.span, a.status)
	}
}

// endSpan notes how the attempt went.
func (a *attempt) endSpan(res weft.Result) {
	if x := a.x; x.span != nil && a.pick.Client == nil && res.Err != nil {
		x.span.Tag(telemetry.TagNamerFailure, res.Err.Error())
	}
	s := a.span
	if s == nil {
		return
	}
	switch res.Class {
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
		tagStatusCode(s, x.status)
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
		return failureService
	case e.Stage == weft.StageIdentify:
		return "Identification"
	case e.Stage == weft.StageBind, e.Stage == weft.StagePick, e.Stage == weft.StageConnect:
		return "ClientAcquisition"
	default:
		return failureService
	}
}
