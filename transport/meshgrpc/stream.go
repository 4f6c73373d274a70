package meshgrpc

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
)

// stream is a streaming call. It lives on the endpoint that it was created on; see
// the package comment for when it may move to another one.
//
// The balancer learns of the end from grpc-go itself (grpc.OnFinish), which also
// sees a caller that only cancels its context and never comes back.
type stream struct {
	*call
	desc   *grpc.StreamDesc
	caller []grpc.CallOption
	start  time.Time

	// ctx is that of the call. loop also ends with the service's total timeout, until
	// the response begins.
	ctx, loop context.Context //nolint:containedctx // RecvMsg makes attempts too, and has no context
	stopLoop  context.CancelFunc

	cur  atomic.Pointer[streamAttempt]
	sent replay

	// begun is set when something was received: from then on there is no other
	// endpoint for this stream, and no timeout.
	begun atomic.Bool
	// deciding is set while the end of an attempt is not yet the end of the stream.
	deciding atomic.Bool
	done     atomic.Bool
}

// stream creates a stream.
func (x *call) stream(ctx context.Context, desc *grpc.StreamDesc, caller []grpc.CallOption) (*stream, error) {
	s := &stream{call: x, desc: desc, caller: caller, start: time.Now(), ctx: ctx, loop: ctx, stopLoop: func() {}}
	s.sent.limit = x.mesh.opts.MaxReplay
	if timeout := x.timeout(); timeout != nil {
		s.loop, s.stopLoop = context.WithDeadlineCause(ctx, s.start.Add(timeout.Limit), timeout)
	}
	s.deciding.Store(true)
	a, res := retry.Do(s.loop, x.dest.Policy(), s.create, nil)
	if a == nil || a.ClientStream == nil {
		err := s.failed(a, res)
		s.end(res, err)
		return nil, err
	}
	s.cur.Store(a)
	s.decide(a)
	return s, nil
}

// create makes one attempt to get a stream to an endpoint.
func (s *stream) create(ctx context.Context, n int) (*streamAttempt, weft.Result, *retry.Client) {
	placed, res := s.place(ctx, n)
	if placed == nil {
		return nil, res, nil
	}
	a := &streamAttempt{attempt: placed, stream: s, over: make(chan struct{})}
	actx := a.attach(a.limit())
	cc, err := a.conn()
	if err == nil {
		own := []grpc.CallOption{grpc.OnFinish(a.finish)}
		if s.desc.ClientStreams {
			// In the middle of a conversation grpc-go alone knows what was sent when.
			own = append(own, grpc.MaxRetryRPCBufferSize(max(0, s.sent.limit)))
		}
		a.ClientStream, err = cc.NewStream(actx, s.desc, s.method, a.options(own...)...)
	}
	if err != nil {
		a.ClientStream = nil
		a.finish(err)
		return a, a.res, a.pick.Client.Retry()
	}
	a.watch()
	return a, weft.Result{}, a.pick.Client.Retry()
}

// RecvMsg implements grpc.ClientStream.
func (s *stream) RecvMsg(m any) error {
	a := s.cur.Load()
	if s.begun.Load() {
		return a.RecvMsg(m)
	}
	s.deciding.Store(true)
	err := a.RecvMsg(m)
	if a.succeeded(err) {
		s.begin(a)
		s.decide(a)
		return err
	}
	if s.mayRepeat(a) {
		return s.repeat(m, a)
	}
	err = s.failed(a, a.res)
	s.end(a.res, err)
	return err
}

// mayRepeat reports whether the retry loop is to be asked about the stream that
// failed. Nothing was received; what was sent must be all there is, and be there.
func (s *stream) mayRepeat(a *streamAttempt) bool {
	if s.done.Load() || s.loop.Err() != nil {
		return false
	}
	if a.res.Class != weft.Retryable && !weft.IsUnsent(a.res.Err) {
		return false
	}
	return s.sent.complete(s.desc.ClientStreams)
}

// repeat sends what failed on a to other endpoints, up to the first message
// received, which it stores in m. The failure is the outcome of attempt 0 of the
// retry loop: NewStream's loop has paid the deposit of this call.
func (s *stream) repeat(m any, failed *streamAttempt) error {
	policy := s.dest.Policy()
	if policy.Budget != nil {
		policy.Budget = retry.WithdrawOnly(policy.Budget)
	}
	var received error
	a, res := retry.Do(s.loop, policy, func(ctx context.Context, n int) (*streamAttempt, weft.Result, *retry.Client) {
		if n == 0 {
			return failed, failed.res, failed.pick.Client.Retry()
		}
		a, res, client := s.create(ctx, n)
		if a == nil || a.ClientStream == nil {
			return a, res, client
		}
		s.sent.to(a)
		if received = a.RecvMsg(m); a.succeeded(received) {
			return a, weft.Result{}, client
		}
		return a, a.res, client
	}, nil)
	if a != nil && a.ClientStream != nil {
		s.cur.Store(a)
	}
	if res.Err != nil || res.Class.Failed() || a == nil {
		err := s.failed(a, res)
		s.end(res, err)
		return err
	}
	s.begin(a)
	s.decide(a)
	return received
}

// begin takes note of the first thing received from a.
func (s *stream) begin(a *streamAttempt) {
	if a.begun(); s.begun.CompareAndSwap(false, true) {
		s.sent.drop()
		s.stopLoop()
	}
}

// decide makes a the attempt whose end is that of the stream.
func (s *stream) decide(a *streamAttempt) {
	s.deciding.Store(false)
	select {
	case <-a.over: // while deciding was set, nobody else took notice
		s.end(a.res, s.failed(a, a.res))
	default:
	}
}

// failed returns the error of an attempt for the caller, nil if it was none.
func (s *stream) failed(a *streamAttempt, res weft.Result) error {
	var answer error
	if a != nil {
		answer = a.answer
	}
	return s.toCaller(s.ctx, answer, res) // loop may have ended because the response began
}

// end records the call, once.
func (s *stream) end(res weft.Result, err error) {
	if s.done.Swap(true) {
		return
	}
	s.stopLoop()
	res.Latency = time.Since(s.start)
	s.dest.Done(res)
	onFinish(s.caller, err)
}

// SendMsg implements grpc.ClientStream.
func (s *stream) SendMsg(m any) error {
	s.sent.add(m)
	return s.cur.Load().SendMsg(m)
}

// CloseSend implements grpc.ClientStream.
func (s *stream) CloseSend() error {
	err := s.cur.Load().CloseSend()
	s.sent.close()
	return err
}

// Header implements grpc.ClientStream.
func (s *stream) Header() (metadata.MD, error) {
	a := s.cur.Load()
	md, err := a.Header()
	if md != nil {
		s.begin(a)
	}
	return md, err
}

// Trailer implements grpc.ClientStream.
func (s *stream) Trailer() metadata.MD { return s.cur.Load().Trailer() }

// Context implements grpc.ClientStream.
func (s *stream) Context() context.Context { return s.cur.Load().Context() }
