package meshgrpc

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// ClientOptions configure the client interceptors.
type ClientOptions struct {
	// Propagation says how context travels in metadata.
	Propagation propagation.Propagator

	// Tracers are told of every call; nil traces nothing.
	Tracers *telemetry.Tracers

	// Metrics is the scope that gets requests, success, failures, pending and
	// request_latency_ms; nil records nothing.
	Metrics *telemetry.Scope

	// Classifier judges the calls; nil means Default{}.
	Classifier Classifier
}

// UnaryClientInterceptor is for those who keep their own ClientConn, and their own
// balancing and retries with it: it sends the context along as a Mesh does, and
// measures the call. It must not be among the DialOptions of a Mesh, which does
// both itself.
func UnaryClientInterceptor(o ClientOptions) grpc.UnaryClientInterceptor {
	w := newWatcher(o)
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, end, err := w.begin(ctx, method, cc)
		if err != nil {
			return err
		}
		err = invoker(ctx, method, req, reply, cc, opts...)
		end(err)
		return err
	}
}

// StreamClientInterceptor is UnaryClientInterceptor for streams: the call is over
// when the stream is.
func StreamClientInterceptor(o ClientOptions) grpc.StreamClientInterceptor {
	w := newWatcher(o)
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx, end, err := w.begin(ctx, method, cc)
		if err != nil {
			return nil, err
		}
		var once sync.Once
		over := func(err error) { once.Do(func() { end(err) }) }
		s, err := streamer(ctx, desc, cc, method, append(slices.Clip(opts), grpc.OnFinish(over))...)
		if err != nil {
			over(err)
		}
		return s, err
	}
}

// watcher measures the calls of one interceptor.
type watcher struct {
	opts              ClientOptions
	requests, success *telemetry.Counter
	failures          *telemetry.Failures
	latency           *telemetry.Stat
	pending           *telemetry.UpDown
}

func newWatcher(o ClientOptions) *watcher {
	if o.Classifier == nil {
		o.Classifier = Default{}
	}
	return &watcher{
		opts:     o,
		requests: o.Metrics.Counter("requests"),
		success:  o.Metrics.Counter("success"),
		failures: telemetry.NewFailures(o.Metrics, telemetry.FailuresOptions{}),
		latency:  o.Metrics.Stat("request_latency_ms"),
		pending:  o.Metrics.UpDown("pending"),
	}
}

// begin returns the context of a call and what to do at its end.
func (w *watcher) begin(ctx context.Context, method string, cc *grpc.ClientConn) (context.Context, func(error), error) {
	if !remains(ctx) {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, nil, status.FromContextError(ctx.Err()).Err()
		}
		return nil, nil, status.Error(codes.DeadlineExceeded, "meshgrpc: the deadline passed before the call was sent")
	}
	start := time.Now()
	out := newOutgoing(ctx, nil)
	trace := propagation.ClientTrace(ctx, w.opts.Tracers)
	if out.given != nil {
		// The application's own instrumentation may have said something in it.
		own, has := telemetry.TraceFrom(ctx)
		trace, _ = w.opts.Propagation.TakeTrace(ctx, out, w.opts.Tracers)
		if has && trace.Span == own.Span {
			trace = w.opts.Tracers.Next(trace)
		}
	}
	ctx = telemetry.WithTrace(ctx, trace)
	out.carry(ctx)
	w.opts.Propagation.Inject(ctx, out)
	caller := ctx
	ctx = out.attach(ctx)
	span := w.opts.Tracers.Start(trace, telemetry.ClientSpan, method)
	span.Annotate(telemetry.AnnClientSend)
	span.Tag(telemetry.TagServerAddr, cc.Target())
	span.Tag(tagMethod, method)
	span.Annotate(telemetry.AnnWireSend)
	w.pending.Add(1)
	return ctx, func(err error) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		class := w.opts.Classifier.Classify(method, err)
		if err != nil && errors.Is(caller.Err(), context.Canceled) {
			class = weft.Ignored
		}
		w.end(class, err, time.Since(start))
		span.Annotate(telemetry.AnnWireRecv)
		span.Annotate(classAnnotation(class))
		span.Annotate(telemetry.AnnClientRecv)
		w.opts.Tracers.Finish(span)
	}, nil
}

func (w *watcher) end(class weft.Class, err error, took time.Duration) {
	w.pending.Add(-1)
	w.requests.Inc()
	switch class {
	case weft.Success:
		w.success.Inc()
	case weft.Failure, weft.Retryable:
		w.failures.RecordError(err)
	case weft.Ignored:
	}
	w.latency.RecordMillis(took)
}
