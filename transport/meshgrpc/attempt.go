package meshgrpc

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// attempt is one try to have one endpoint answer a call.
type attempt struct {
	call *call
	n    int
	pick transport.Pick
	span *telemetry.Span

	// What grpc-go tells of the stream, once it is over.
	peer            peer.Peer
	header, trailer metadata.MD

	receivedAt atomic.Int64 // when a stream's response began, UnixNano; 0: it is none, or has not

	answered bool       // set by judge: the endpoint itself said something
	code     codes.Code // set by judge: what it said
	blame    bool       // set by judge: the endpoint is responsible for the outcome
}

// limit returns the context of the attempt, which ends with the client's attempt
// timeout if that is before the deadline of the call.
func (a *attempt) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := a.timeout()
	if timeout == nil {
		return ctx, func() {}
	}
	return withTimeout(ctx, time.Now(), timeout)
}

// timeout is the error of an attempt that takes too long, nil if it may take as
// long as it likes.
func (a *attempt) timeout() *transport.TimeoutError {
	limit := a.pick.Client.Options().AttemptTimeout
	if limit <= 0 {
		return nil
	}
	return &transport.TimeoutError{
		Limit: limit, To: a.pick.Client.ID().String(), Attempt: true, Remote: a.pick.Endpoint.Addr(),
	}
}

// withTimeout returns a context that ends at start plus the timeout's limit, of
// which the next hop is told, and has the timeout as its cause then.
func withTimeout(ctx context.Context, start time.Time, timeout *transport.TimeoutError) (context.Context, context.CancelFunc) {
	d := propagation.Deadline{Timestamp: start, At: start.Add(timeout.Limit)}
	return context.WithDeadlineCause(propagation.Advertise(ctx, d), d.At, timeout)
}

// attach starts the span and adds to the context what goes along with the call.
func (a *attempt) attach(ctx context.Context) context.Context {
	x := a.call
	trace := x.mesh.opts.Tracers.Next(x.trace)
	ctx = telemetry.WithTrace(ctx, trace)
	a.begin(trace)
	out := newOutgoing(ctx, x.given)
	x.given = nil
	out.carry(ctx)
	x.mesh.opts.Propagation.Inject(ctx, out)
	out.Set(keyDstService, x.dest.Path().String())
	out.Set(keyDstClient, a.pick.Client.ID().String())
	if !a.pick.Residual.IsEmpty() {
		out.Set(keyDstResidual, a.pick.Residual.String())
	} else {
		out.Del(keyDstResidual)
	}
	a.handedOver()
	return out.attach(ctx)
}

// options are those of the call and of this attempt.
func (a *attempt) options(more ...grpc.CallOption) []grpc.CallOption {
	x := a.call
	opts := make([]grpc.CallOption, 0, len(x.opts)+6)
	if o := a.authority(); o != nil {
		opts = append(opts, o) // first, so that the caller's own wins
	}
	opts = append(opts, x.opts...)
	// An endpoint that is not there must not be waited for: another one may be.
	opts = append(opts, grpc.WaitForReady(false), grpc.Peer(&a.peer), grpc.Header(&a.header), grpc.Trailer(&a.trailer))
	return append(opts, more...)
}

// authority sets :authority to what discovery wants, or else to the name of the
// call, by which a proxy on the way can route it. With TLS it must be what the
// certificate says, which the connection knows.
func (a *attempt) authority() grpc.CallOption {
	if name := a.pick.Client.Meta()["authority"]; name != "" {
		return grpc.CallAuthority(name)
	}
	if u, ok := a.pick.Conn().(*upstream); ok && u.state.plaintext {
		return a.call.conn.authority
	}
	return nil
}

// send makes the unary call on the endpoint's connection.
func (a *attempt) send(ctx context.Context, args, reply any) error {
	cc, err := a.conn()
	if err != nil {
		return err
	}
	return cc.Invoke(ctx, a.call.method, args, reply, a.options()...)
}

// conn returns the endpoint's connection, or the answer of an endpoint that is
// none.
func (a *attempt) conn() (*grpc.ClientConn, error) {
	u, ok := a.pick.Conn().(*upstream)
	if !ok {
		return nil, errors.New("meshgrpc: the endpoint has no connection")
	}
	if u.local != "" {
		a.answered = true
		return nil, answer(u.local)
	}
	return u.conn()
}

// judge is the one place where an outcome gets its meaning. answer is what the
// endpoint said, and nil if the mesh has to say it. grpc-go reports everything as a
// status, so whose status it is must be found out:
//
//   - with metadata of the response, the endpoint's: every answer, trailers alone
//     too, has some. But when our context ended, an endpoint that says so only
//     repeats what we told it;
//   - without a peer, nobody's: no connection took the stream. Nothing was sent;
//   - with one of three texts of grpc-go, nobody's: the server said in HTTP/2 that
//     it did not look at the stream. Nothing was processed;
//   - otherwise the stream broke: it may have been processed.
//
// The texts need no peer to forge them, but an endpoint that passes on an error of
// its own upstream does so in an answer, which is the first case.
func (a *attempt) judge(ctx context.Context, err error) (res weft.Result, answer error) {
	x := a.call
	if len(a.header) == 0 && len(a.trailer) == 0 && errors.Is(err, io.EOF) {
		err = errNoAnswer
	}
	ended := err != nil && a.waitEnd(ctx)
	c := status.Code(err)
	echo := ended && (c == codes.Canceled || c == codes.DeadlineExceeded)
	a.answered = a.answered || err == nil || !echo && (len(a.header) > 0 || len(a.trailer) > 0)
	a.blame = true
	if a.answered {
		a.code = c
		res.Class = x.classifier.Classify(x.method, err)
		if err != nil {
			pushback(a.trailer, &res)
		}
		return res, err
	}
	fail := func(stage weft.Stage, unsent bool, cause error) {
		res.Err = &weft.Error{Stage: stage, Dst: a.pick.Client.ID(), Unsent: unsent, Err: cause}
		res.Class = x.classifier.Classify(x.method, toCaller(res.Err))
	}
	st, isStatus := status.FromError(err)
	switch {
	case ended:
		res = a.ended(ctx)
	case isStatus && st.Code() == codes.Unavailable && (a.peer.Addr == nil || dialFailed(st.Message())):
		a.pick.ConnectFailed(err)
		fail(weft.StageConnect, true, &transport.ConnectError{
			Service: x.dest.Path(), Client: a.pick.Client.ID(), Addrs: a.pick.Client.Addrs(),
			Selected: a.pick.Endpoint.Addr(), Err: err,
		})
	case isStatus && unprocessed(st):
		fail(weft.StageSend, true, err)
	case a.peer.Addr == nil:
		// The call cannot be sent to anybody: metadata that is not valid, credentials
		// of the caller that fail, a mesh that was closed.
		a.blame = false
		res = weft.Result{Class: weft.Failure, Err: &weft.Error{Stage: weft.StageSend, Dst: a.pick.Client.ID(), Err: err}}
		answer = statusOnly(err)
	default:
		fail(weft.StageReceive, false, err)
		answer = err
	}
	return res, answer
}

// waitEnd reports whether the context of the attempt has ended. A deadline that has
// passed counts, even if the timer is a little late: the endpoint's may have been
// first.
func (a *attempt) waitEnd(ctx context.Context) bool {
	if remains(ctx) {
		return false
	}
	<-ctx.Done()
	return !errors.Is(context.Cause(ctx), errOver)
}

// ended is the outcome of an attempt whose context ended first: a timeout of the
// mesh, the caller's deadline, or a caller who lost interest.
func (a *attempt) ended(ctx context.Context) (res weft.Result) {
	stage := weft.StageReceive
	err := ctxError(ctx)
	timeout, ours := errors.AsType[*transport.TimeoutError](err)
	switch {
	case ours:
		err = timeout
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		stage = weft.StageDeadline
	default:
		a.blame = false
	}
	res.Err = &weft.Error{Stage: stage, Dst: a.pick.Client.ID(), Unsent: a.peer.Addr == nil, Err: err}
	if a.blame {
		res.Class = a.call.classifier.Classify(a.call.method, toCaller(res.Err))
	} else {
		res.Class = weft.Ignored
	}
	return res
}

// done reports the outcome to the balancer, the breaker, the metrics and the
// tracers.
func (a *attempt) done(res weft.Result) {
	a.count()
	a.endSpan(res)
	if !a.blame {
		res.Class = weft.Ignored
	}
	if a.answered {
		a.pick.Connected()
	}
	// Any answer earns the client's requeue budget a deposit, whatever the service's
	// classifier makes of it.
	a.pick.DoneDeposit(res, a.answered)
}

// count counts the attempt by its status.
func (a *attempt) count() {
	u, ok := a.pick.Conn().(*upstream)
	switch {
	case !ok:
	case a.answered:
		u.state.stats.answered(a.code)
	default:
		u.state.stats.unanswered()
	}
}

// pushback applies grpc-retry-pushback-ms of gRFC A6: a delay to wait for before a
// retry, or anything else to say that there must be none.
func pushback(trailer metadata.MD, res *weft.Result) {
	v := trailer["grpc-retry-pushback-ms"]
	if len(v) == 0 {
		return
	}
	ms, err := strconv.ParseInt(v[0], 10, 32)
	if len(v) > 1 || err != nil || ms < 0 {
		if res.Class == weft.Retryable {
			res.Class = weft.Failure
		}
		return
	}
	res.RetryAfter = time.Duration(ms) * time.Millisecond
}

// statusOnly returns err if callers can read a status from it.
func statusOnly(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	return nil
}
