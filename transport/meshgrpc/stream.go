package meshgrpc

import (
	"context"
	"errors"
	"sync"
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
	// moving is held while the stream changes from one attempt to the next, and while
	// it is found out which of them gets a message: none is lost or sent twice.
	moving sync.Mutex

	// begun is set when something was received: from then on there is no other
	// endpoint for this stream, and no timeout.
	begun atomic.Bool
	// deciding is set while the end of an attempt is not yet the end of the stream.
	deciding atomic.Bool
	done     atomic.Bool
	// abandoned stops the waiting for a caller who does not come back (see postpone).
	abandoned atomic.Pointer[func() bool]
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
// failed. Nothing was received, and what was sent is here: of a stream that nobody
// looked at, all up to now; of any other, all there will ever be.
func (s *stream) mayRepeat(a *streamAttempt) bool {
	return !s.done.Load() && !s.begun.Load() && s.loop.Err() == nil && s.repeatable(a.res)
}

func (s *stream) repeatable(res weft.Result) bool {
	if weft.IsUnsent(res.Err) {
		return s.sent.kept()
	}
	return res.Class == weft.Retryable && s.sent.complete(s.desc.ClientStreams)
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
		if a != nil && a.ClientStream != nil {
			// The caller may go on sending now, and what it says may be what the endpoint
			// waits for.
			s.moveTo(a)
			if received = a.RecvMsg(m); a.succeeded(received) {
				return a, weft.Result{}, client
			}
			res = a.res
		}
		if !s.repeatable(res) {
			res = final(res)
		}
		return a, res, client
	}, nil)
	if res.Err != nil || res.Class.Failed() || a == nil {
		err := s.failed(a, res)
		s.end(res, err)
		return err
	}
	s.begin(a)
	s.decide(a)
	return received
}

// moveTo makes a the attempt that has the stream, and sends it what was sent before.
// If more was sent in the meantime than is kept, a is not to succeed.
func (s *stream) moveTo(a *streamAttempt) {
	s.moving.Lock()
	defer s.moving.Unlock()
	if !s.sent.to(a) {
		a.cancel(errOver)
	}
	s.cur.Store(a)
}

// final is an outcome after which there is no other attempt.
func final(res weft.Result) weft.Result {
	if res.Class == weft.Retryable {
		res.Class = weft.Failure
	}
	if e, ok := errors.AsType[*weft.Error](res.Err); ok && e.Unsent {
		last := *e
		last.Unsent = false
		res.Err = &last
	}
	return res
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
		s.ended(a)
	default:
	}
}

// ended takes note of the end of the attempt that has the stream, outside of
// RecvMsg. It is the end of the stream, unless that can be made again: which is
// RecvMsg's to do, for as long as the caller may call it.
func (s *stream) ended(a *streamAttempt) {
	over := func() { s.end(a.res, s.failed(a, a.res)) }
	if !s.mayRepeat(a) {
		over()
		return
	}
	stop := context.AfterFunc(s.ctx, func() {
		if s.cur.Load() == a && !s.deciding.Load() {
			over()
		}
	})
	if old := s.abandoned.Swap(&stop); old != nil {
		(*old)()
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
	if stop := s.abandoned.Swap(nil); stop != nil {
		(*stop)()
	}
	if t := s.mesh.opts.Tap; t.Watched() {
		s.offer(t, res, err)
	}
	res.Latency = time.Since(s.start)
	s.dest.Done(res)
	s.endTrace(res)
	onFinish(s.caller, err)
}

// SendMsg implements grpc.ClientStream. A message that an endpoint did not take,
// which did not look at the stream either, is sent to another one by RecvMsg.
func (s *stream) SendMsg(m any) error {
	s.moving.Lock()
	s.sent.add(m)
	a := s.cur.Load()
	s.moving.Unlock()
	if err := a.SendMsg(m); err != nil && !s.goesOn(a) {
		return err
	}
	return nil
}

// goesOn reports whether a stream goes on that could not take a message, elsewhere
// and with that message.
func (s *stream) goesOn(a *streamAttempt) bool {
	// What is true of the stream is asked first: another attempt may have it, and may
	// have begun, by the time that the answer is used.
	may := !s.begun.Load() && s.sent.kept()
	if s.cur.Load() != a {
		return true // the message was there when the stream moved
	}
	if !may {
		return false
	}
	// The stream has ended, but grpc-go says why to those only who ask.
	if md, _ := a.Header(); md != nil {
		return false
	}
	select {
	case <-a.over:
		may = s.mayRepeat(a)
		return s.cur.Load() != a || may
	case <-s.ctx.Done():
		return false
	}
}

// CloseSend implements grpc.ClientStream.
func (s *stream) CloseSend() error {
	s.moving.Lock()
	s.sent.close()
	a := s.cur.Load()
	s.moving.Unlock()
	return a.CloseSend()
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
