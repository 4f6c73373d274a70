package meshgrpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft"
)

// errOver cancels the context of a stream that has ended.
var errOver = errors.New("meshgrpc: the stream has ended")

// streamAttempt is one stream to one endpoint.
type streamAttempt struct {
	*attempt
	grpc.ClientStream // nil if it could not be created

	stream *stream
	ctx    context.Context //nolint:containedctx // of this stream, which outlives every call of its methods
	cancel context.CancelCauseFunc
	timer  *time.Timer // the client's attempt timeout
	detach func() bool // from the loop's context

	first atomic.Int64 // from the pick to the beginning of the response; 0: not yet

	once   sync.Once
	over   chan struct{} // closed when res and answer are set
	res    weft.Result
	answer error
}

// limit returns the context of the stream. The timeouts of the mesh end it only
// until the response begins, so they are not its deadline, and the endpoint is not
// told of them.
func (a *streamAttempt) limit() context.Context {
	s := a.stream
	a.ctx, a.cancel = context.WithCancelCause(s.ctx)
	if s.loop != s.ctx {
		loop, cancel := s.loop, a.cancel
		a.detach = context.AfterFunc(loop, func() { cancel(context.Cause(loop)) })
	}
	if timeout := a.timeout(); timeout != nil {
		cancel := a.cancel
		a.timer = time.AfterFunc(timeout.Limit, func() { cancel(timeout) })
	}
	return a.ctx
}

// watch waits for the response to begin where a timeout depends on it. The
// goroutine ends with the stream.
func (a *streamAttempt) watch() {
	if a.timer == nil && a.detach == nil {
		return
	}
	go func() {
		if md, _ := a.ClientStream.Header(); md != nil {
			a.stream.begin(a)
		}
	}()
}

// begun takes note of the first thing received.
func (a *streamAttempt) begun() {
	if a.first.Load() == 0 {
		if a.span != nil {
			a.receivedAt.CompareAndSwap(0, time.Now().UnixNano())
		}
		a.first.CompareAndSwap(0, max(1, int64(a.pick.Elapsed())))
		a.unlimit()
	}
}

// unlimit stops the timeouts.
func (a *streamAttempt) unlimit() {
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.detach != nil {
		a.detach()
	}
}

// finish is called by grpc-go when the stream has ended, whoever ended it.
//
// The latency that the balancer learns is the time to the first response: how long
// a stream goes on says nothing about its endpoint.
func (a *streamAttempt) finish(err error) {
	a.once.Do(func() {
		a.unlimit()
		if err == nil && len(a.header) == 0 && len(a.trailer) == 0 {
			err = io.EOF // what RecvMsg returned, and no success: see judge
		}
		a.res, a.answer = a.judge(a.ctx, err)
		res := a.res
		res.Latency = time.Duration(a.first.Load())
		a.done(res)
		a.cancel(errOver)
		close(a.over)
		if s := a.stream; !s.deciding.Load() && s.cur.Load() == a {
			s.ended(a)
		}
	})
}

// succeeded reports whether what the first RecvMsg returned is a message or the
// end of a stream without any. Otherwise res is the outcome.
func (a *streamAttempt) succeeded(err error) bool {
	if err == nil {
		return true
	}
	// grpc-go may have found an error without ending the stream (a message too
	// many): cancelling does.
	a.cancel(errOver)
	<-a.over
	return errors.Is(err, io.EOF) && a.res.Err == nil && a.answer == nil
}
