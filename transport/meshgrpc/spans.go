package meshgrpc

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
)

// The tags of a call.
const (
	tagMethod = "rpc.method"
	tagStatus = "rpc.grpc.status_code"
)

// beginTrace finds out which trace a call is part of, and begins the span of the call
// with all its attempts, if anybody wants it: what a proxy's server span is else.
func (x *call) beginTrace(ctx context.Context) {
	o := &x.mesh.opts
	own, has := telemetry.TraceFrom(ctx)
	switch md, ok := metadata.FromOutgoingContext(ctx); {
	case ok:
		x.given = md // the application's own instrumentation may have said something in it
		x.trace, _ = o.Propagation.TakeTrace(ctx, &outgoing{given: md}, o.Tracers)
	case has:
		x.trace = o.Tracers.Decide(own)
	default:
		x.trace = o.Tracers.Decide(telemetry.NewTrace())
	}
	if !o.Tracers.Sampled(x.trace) {
		return
	}
	if has && x.trace.Span == own.Span {
		x.trace = x.trace.Child() // that is the caller's span
	}
	label, service := x.mesh.router.Options().Label, x.dest.Path().String()
	s := o.Tracers.Start(x.trace, telemetry.LocalSpan, telemetry.SpanName(label, service))
	s.Tag(telemetry.TagRouterLabel, label)
	s.Tag(telemetry.TagService, service)
	s.Tag(tagMethod, x.method)
	if d := x.mesh.router.Options().Base; len(d) > 0 {
		s.Tag(telemetry.TagDtabBase, d.String())
	}
	if d := x.dest.Local(); len(d) > 0 {
		s.Tag(telemetry.TagDtabLocal, d.String())
	}
	x.span = s
}

// endTrace ends the span of the call.
func (x *call) endTrace(res weft.Result) {
	s := x.span
	if s == nil {
		return
	}
	if res.Err != nil {
		s.Annotate(telemetry.AnnFailure)
		s.Tag(telemetry.TagFailure, failureOf(res.Err))
	}
	x.mesh.opts.Tracers.Finish(s)
}

// unbound notes on the span of the call that its name led nowhere.
func (x *call) unbound(err error) {
	if x.span != nil {
		x.span.Tag(telemetry.TagNamerFailure, err.Error())
	}
}

// begin begins the client span of an attempt.
func (a *attempt) begin(t telemetry.Trace) {
	x := a.call
	id, residual := a.pick.Client.ID().String, "/"
	if !a.pick.Residual.IsEmpty() {
		residual = a.pick.Residual.String()
	}
	if s := x.span; s != nil {
		s.Tag(telemetry.TagClient, id())
		s.Tag(telemetry.TagNamerSuccess, id())
		s.Tag(telemetry.TagResidual, residual)
		if a.n > 0 {
			s.Tag(telemetry.TagRetry, strconv.Itoa(a.n))
		}
	}
	s := x.mesh.opts.Tracers.Start(t, telemetry.ClientSpan, x.method)
	if a.span = s; s == nil {
		return
	}
	s.Annotate(telemetry.AnnClientSend)
	s.Tag(telemetry.TagClientLabel, id())
	s.Tag(telemetry.TagRouterLabel, x.mesh.router.Options().Label)
	s.Tag(telemetry.TagService, x.dest.Path().String())
	s.Tag(telemetry.TagClient, id())
	s.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
	s.Tag(telemetry.TagResidual, residual)
	s.Tag(tagMethod, x.method)
	if d := x.dest.Local(); len(d) > 0 {
		s.Tag(telemetry.TagDtabLocal, d.String())
	}
}

// handedOver notes that the call is the connection's from now on.
func (a *attempt) handedOver() { a.span.Annotate(telemetry.AnnWireSend) }

// endSpan ends the client span of an attempt.
func (a *attempt) endSpan(res weft.Result) {
	s := a.span
	if s == nil {
		return
	}
	if at := a.receivedAt.Load(); at != 0 {
		s.AnnotateAt(time.Unix(0, at), telemetry.AnnWireRecv)
	} else if a.answered {
		s.Annotate(telemetry.AnnWireRecv)
	}
	if a.peer.LocalAddr != nil {
		s.Tag(telemetry.TagClientAddr, a.peer.LocalAddr.String())
	}
	s.Annotate(classAnnotation(res.Class))
	s.Annotate(telemetry.AnnClientRecv)
	a.call.mesh.opts.Tracers.Finish(s)
}

func classAnnotation(c weft.Class) string {
	switch c {
	case weft.Success:
		return telemetry.AnnSuccess
	case weft.Retryable:
		return telemetry.AnnRetryable
	default:
		return telemetry.AnnFailure
	}
}

// failureOf names where a call failed, as Linkerd's spans do.
func failureOf(err error) string {
	switch e, ok := errors.AsType[*weft.Error](err); {
	case ok && e.Stage == weft.StageIdentify:
		return "Identification"
	case ok && (e.Stage == weft.StageBind || e.Stage == weft.StagePick || e.Stage == weft.StageConnect):
		return "ClientAcquisition"
	default:
		return "Service"
	}
}

// startSpan begins the span of a call that is served.
func (o *ServerOptions) startSpan(ctx context.Context, t telemetry.Trace, method string) *telemetry.Span {
	s := o.Tracers.Start(t, telemetry.ServerSpan, method)
	if s == nil {
		return nil
	}
	s.Annotate(telemetry.AnnWireRecv)
	s.Annotate(telemetry.AnnServerRecv)
	s.Tag(tagMethod, method)
	if p, ok := peer.FromContext(ctx); ok {
		if p.Addr != nil {
			s.Tag(telemetry.TagClientAddr, p.Addr.String())
		}
		if p.LocalAddr != nil {
			s.Tag(telemetry.TagServerAddr, p.LocalAddr.String())
		}
	}
	return s
}

// endSpan ends the span of a call that was served.
func (sv *served) endSpan(err error) {
	s := sv.span
	if s == nil {
		return
	}
	c := sv.opts.Classifier
	if c == nil {
		c = Default{}
	}
	s.Tag(tagStatus, status.Code(err).String())
	if c.Classify(sv.method, err) != weft.Success {
		s.Annotate(telemetry.AnnFailure)
	}
	s.Annotate(telemetry.AnnServerSend)
	s.Annotate(telemetry.AnnWireSend)
	sv.opts.Tracers.Finish(s)
}
