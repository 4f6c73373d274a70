package meshgrpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// call is one call of a stub with all its attempts.
type call struct {
	mesh       *Mesh
	conn       *Conn
	method     string
	dest       *transport.Dest
	classifier Classifier
	opts       []grpc.CallOption
	avoid      string // the endpoint of the previous attempt

	trace telemetry.Trace // that the attempts are part of
	span  *telemetry.Span // of the call with all its attempts; nil: nobody wants it
	given metadata.MD     // the caller's, for the first attempt

	client   *transport.Client // of the last attempt
	attempts int
}

// invoke makes a unary call.
func (x *call) invoke(ctx context.Context, args, reply any) error {
	start := time.Now()
	// The total timeout is outside the loop, so that it covers all attempts and the
	// delays between them.
	if timeout := x.timeout(); timeout != nil {
		var cancel context.CancelFunc
		ctx, cancel = withTimeout(ctx, start, timeout)
		defer cancel()
	}
	u := unary{call: x, args: args, reply: reply}
	said, res := retry.Do(ctx, x.dest.Policy(), u.attempt, nil)
	res.Latency = time.Since(start)
	err := x.toCaller(ctx, said.err, res)
	if t := x.mesh.opts.Tap; t.Watched() {
		x.offer(t, ctx, start, res, err)
	}
	x.dest.Done(res)
	x.endTrace(res)
	return err
}

// unary makes the attempts of a unary call. The messages are the caller's: to send
// them again is to encode them again.
type unary struct {
	*call
	args, reply any
}

// said is what an endpoint answered beside the reply: a status, nil for OK.
type said struct{ err error }

// attempt is one pass from the name to the endpoint's answer. An error of the mesh
// is in the Result alone.
func (u *unary) attempt(ctx context.Context, n int) (said, weft.Result, *retry.Client) {
	a, res := u.place(ctx, n)
	if a == nil {
		return said{}, res, nil
	}
	actx, cancel := a.limit(ctx)
	defer cancel()
	actx = a.attach(actx)
	err := a.send(actx, u.args, u.reply)
	res, answer := a.judge(actx, err)
	a.done(res)
	return said{answer}, res, a.pick.Client.Retry()
}

// place binds the name and picks an endpoint: it returns the attempt to make, or
// nil and why there is none.
func (x *call) place(ctx context.Context, n int) (*attempt, weft.Result) {
	// Waits only while nothing is known of the name.
	route, err := x.dest.Route(ctx)
	if err != nil {
		x.unbound(err)
		return nil, x.unplaced(ctx, err)
	}
	pick, err := route.Pick(ctx, weft.Call{Avoid: x.avoid})
	if err != nil {
		return nil, x.unplaced(ctx, err)
	}
	x.avoid, x.client = pick.Endpoint.Addr(), pick.Client
	x.attempts++
	a := &attempt{call: x, pick: pick, n: n}
	// Binding and picking may have waited. What is too late is not sent, and nobody
	// is to blame for it.
	if !remains(ctx) {
		res := x.unplaced(ctx, &weft.Error{
			Stage: weft.StageDeadline, Dst: x.dest.Path(), Unsent: true, Err: transport.ErrTooLate,
		})
		pick.Done(weft.Result{Class: weft.Ignored, Err: res.Err})
		return nil, res
	}
	return a, weft.Result{}
}

// unplaced is the outcome of an attempt that got no endpoint. Whether another one
// may be had in a moment is for the classifier; a name that leads nowhere now will
// do so in a moment.
func (x *call) unplaced(ctx context.Context, err error) weft.Result {
	e, ok := errors.AsType[*weft.Error](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return weft.Result{Class: weft.Ignored, Err: err}
	case ok && e.Stage == weft.StagePick:
		return weft.Result{Class: x.classifier.Classify(x.method, toCaller(err)), Err: err}
	default:
		return weft.Result{Class: weft.Failure, Err: err}
	}
}

// timeout is the error of a call that takes too long with all its attempts, nil if
// it may take as long as it likes.
func (x *call) timeout() *transport.TimeoutError {
	limit := x.dest.Options().TotalTimeout
	if limit <= 0 {
		return nil
	}
	return &transport.TimeoutError{Limit: limit, To: x.mesh.router.Options().Label}
}

// toCaller returns what the caller gets of the last attempt: the endpoint's answer
// if there is one. ctx is that of the loop.
func (x *call) toCaller(ctx context.Context, answer error, res weft.Result) error {
	if answer != nil || res.Err == nil {
		return answer
	}
	if ctx.Err() != nil {
		if c := code(res.Err); c != codes.Canceled && c != codes.DeadlineExceeded {
			// The attempt failed and the context ended, or its cause is an error of the
			// caller's own: what callers expect is the code of the context.
			return &callError{status: Status(ctxError(ctx)), err: res.Err}
		}
	}
	return toCaller(res.Err)
}
