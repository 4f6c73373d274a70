package meshgrpc

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// ServerOptions configure the server interceptors.
type ServerOptions struct {
	// Propagation says how context travels in metadata.
	Propagation propagation.Propagator

	// Tracers are told of every call that is served; nil traces nothing.
	Tracers *telemetry.Tracers

	// ClearContext ignores and removes every l5d-* header, so that outsiders cannot
	// inject overrides: for servers that face them.
	ClearContext bool

	// Classifier judges the calls for the span; nil means Default{}.
	Classifier Classifier
}

// UnaryServerInterceptor puts what came with a call into the context of its
// handler: the deadline, the per-request dtab and the trace, so that the calls
// that the handler makes through a Mesh (or the client interceptors) carry them
// on. The metadata that says so is removed from what the handler sees; other
// l5d-ctx-* metadata stays and is carried on too.
//
// A dtab that does not parse is answered with INVALID_ARGUMENT, and a deadline
// that has passed with DEADLINE_EXCEEDED, before the handler is called.
func UnaryServerInterceptor(o ServerOptions) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		sv, err := o.serve(ctx, info.FullMethod)
		if err != nil {
			return nil, err
		}
		defer sv.cancel()
		resp, err := handler(sv.ctx, req)
		sv.endSpan(err)
		return resp, err
	}
}

// StreamServerInterceptor is UnaryServerInterceptor for streams.
func StreamServerInterceptor(o ServerOptions) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		sv, err := o.serve(ss.Context(), info.FullMethod)
		if err != nil {
			return err
		}
		defer sv.cancel()
		err = handler(srv, &serverStream{ServerStream: ss, ctx: sv.ctx})
		sv.endSpan(err)
		return err
	}
}

// serverStream is a ServerStream with another context.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // what Context returns
}

func (s *serverStream) Context() context.Context { return s.ctx }

// served is one call on the server's side.
type served struct {
	opts   *ServerOptions
	ctx    context.Context //nolint:containedctx // that of the handler, as long as it runs
	cancel context.CancelFunc
	span   *telemetry.Span
	method string
}

// serve makes the context of a handler.
func (o *ServerOptions) serve(ctx context.Context, method string) (*served, error) {
	md, _ := metadata.FromIncomingContext(ctx) // a copy
	if md == nil {
		md = metadata.MD{}
	}
	if o.ClearContext {
		for k := range md {
			if strings.HasPrefix(k, prefixL5d) {
				delete(md, k)
			}
		}
	}
	if o.ClearContext {
		// The trace is not to be trusted either.
		ctx = telemetry.WithTrace(ctx, o.Propagation.Restart(incoming(md), o.Tracers))
	}
	ctx, cancel, err := o.Propagation.Extract(ctx, incoming(md), o.Tracers)
	if err != nil {
		cancel()
		return nil, toCaller(&weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err})
	}
	if ctx.Err() != nil || !remains(ctx) {
		cancel()
		return nil, status.Error(codes.DeadlineExceeded, "meshgrpc: the deadline passed before the call was served")
	}
	trace, _ := telemetry.TraceFrom(ctx)
	if trace.Forms != 0 {
		o.Propagation.Rewrite(trace, incoming(md)) // for instrumentation of the handler's own
	}
	ctx = propagation.CarryOn(metadata.NewIncomingContext(ctx, md), md)
	sv := &served{opts: o, ctx: ctx, cancel: cancel, method: method}
	sv.span = o.startSpan(ctx, trace, method)
	return sv, nil
}
