package meshhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// attempt is one sending of the request to one endpoint.
type attempt struct {
	x     *exchange
	pick  transport.Pick
	state *clientState
	n     int // 0 is the first one

	sending sending
	cancel  context.CancelCauseFunc // ends the attempt; nil: nothing limits it
	unhook  func() bool             // keeps the retry loop's end from ending it
	timer   *time.Timer             // of the attempt timeout
	timeout *transport.TimeoutError // what the timer says
	span    *telemetry.Span

	out  http.Request // what is sent
	url  url.URL
	body body
}

// attempt sends the request once. It is the body of the retry loop: everything
// that must be decided anew for every attempt is in here, from the route on,
// because the binding and the endpoints may have changed since the last one.
func (x *exchange) attempt(loop context.Context, n int) (*http.Response, weft.Result, *retry.Client) {
	route, err := x.dest.Route(loop)
	if err != nil {
		x.annotateUnbound(err)
		return nil, x.failed(loop, err), nil
	}
	pick, err := route.Pick(loop, weft.Call{Avoid: x.avoid})
	if err != nil {
		return nil, x.failed(loop, err), nil
	}
	client := pick.Client
	x.avoid, x.client = pick.Endpoint.Addr(), client

	// Below the pick, so that a client is judged by its own refusals only.
	state, _ := client.Options().Adapter.(*clientState)
	if !state.nack.Admit() {
		err := &weft.Error{Stage: weft.StagePick, Dst: client.ID(), Err: errOverloaded}
		pick.Done(weft.Result{Class: weft.Ignored, Err: err}) // the endpoint knows nothing of it
		return nil, weft.Result{Class: weft.Failure, Err: err}, client.Retry()
	}
	// Naming and picking may have waited: nothing is sent after its time.
	if loop.Err() != nil {
		res := x.failed(loop, &weft.Error{Stage: weft.StageDeadline, Dst: client.ID(), Unsent: true, Err: context.Cause(loop)})
		pick.Done(weft.Result{Class: weft.Ignored, Err: res.Err})
		return nil, res, client.Retry()
	}
	a := &x.first
	if x.attempts++; x.attempts > 1 {
		a = &attempt{} // the first one may not have let go of everything yet
	}
	a.x, a.pick, a.state, a.n = x, pick, state, n
	resp, res := a.send(loop)
	return resp, res, client.Retry()
}

// send makes the attempt.
func (a *attempt) send(loop context.Context) (*http.Response, weft.Result) {
	req := a.request(loop)
	resp, err := a.exchange(req)
	if a.sending.connected() {
		a.pick.Connected()
	}
	whole := false
	if err == nil {
		resp, whole, err = a.accept(resp)
	}
	if late := a.settle(loop); late != nil && err == nil {
		// The time was up at the very moment when the response came, and what comes after
		// the head is cut off already.
		_ = resp.Body.Close() // given up
		err = late
	}
	if err != nil {
		err = a.explain(loop, err)
		a.state.stats.failed(err, a.pick.Elapsed())
		res := weft.Result{Class: a.x.classify(nil, err), Err: err}
		a.annotateEnd(nil, res.Class)
		a.done(res, false)
		return nil, res
	}
	res := weft.Result{
		Class:      a.x.classify(resp, nil),
		Latency:    a.pick.Elapsed(), // the head's: how long a stream goes on says nothing of the endpoint
		RetryAfter: retryAfter(resp),
	}
	a.annotateEnd(resp, res.Class)
	a.state.stats.statuses.End(resp.StatusCode, res.Latency)
	if a.state.AccessLog != nil {
		a.state.AccessLog(a.entry(req, resp, res.Latency))
	}
	a.own(resp, res, whole)
	return resp, res
}

// entry is what the access log is told.
func (a *attempt) entry(req *http.Request, resp *http.Response, latency time.Duration) AccessEntry {
	trace, _ := telemetry.TraceFrom(a.x.in.ctx)
	return AccessEntry{
		Request: req, Response: resp, Service: a.x.dest.Path(), Client: a.pick.Client.ID(), Endpoint: a.pick.Endpoint.Addr(),
		Attempt: a.n + 1, Latency: latency, Trace: trace,
	}
}

// limit bounds the attempt: by its own timeout, and by the end of the retry loop.
// Both stop counting when the response begins (see settle).
func (a *attempt) limit(ctx, loop context.Context) context.Context {
	limit := a.pick.Client.Options().AttemptTimeout
	if limit <= 0 && loop == a.x.in.ctx {
		return ctx
	}
	ctx, a.cancel = context.WithCancelCause(ctx)
	if loop != a.x.in.ctx {
		a.unhook = context.AfterFunc(loop, func() { a.cancel(context.Cause(loop)) })
	}
	if limit > 0 {
		a.timeout = &transport.TimeoutError{
			Limit: limit, To: a.pick.Client.ID().String(), Attempt: true, Remote: a.pick.Endpoint.Addr(),
		}
		a.timer = time.AfterFunc(limit, func() { a.cancel(a.timeout) })
	}
	return ctx
}

// settle stops the limits. The error is that of one which was faster.
func (a *attempt) settle(loop context.Context) error {
	if a.timer != nil && !a.timer.Stop() {
		return a.timeout
	}
	if a.unhook != nil && !a.unhook() {
		return context.Cause(loop)
	}
	return nil
}

// explain dresses an error with where it happened and whether the request can
// have been processed.
func (a *attempt) explain(loop context.Context, err error) error {
	if _, ok := errors.AsType[*weft.Error](err); ok {
		return err
	}
	if late := a.x.late(loop); late != nil {
		return late
	}
	id := a.pick.Client.ID()
	if timeout, ok := errors.AsType[*transport.TimeoutError](err); ok {
		return &weft.Error{Stage: weft.StageReceive, Dst: id, Err: timeout}
	}
	if errors.Is(err, errTooManyWaiters) {
		return &weft.Error{Stage: weft.StagePick, Dst: id, Unsent: true, Err: errTooManyWaiters}
	}
	dial, dialled := errors.AsType[*dialError](err)
	switch {
	case dialled && dial.setup:
		return &weft.Error{Stage: weft.StageConnect, Dst: id, Err: dial.err} // it would be the same again
	case dialled:
		a.pick.ConnectFailed(dial.err)
		e := &weft.Error{Stage: weft.StageConnect, Dst: id, Unsent: a.x.body.freeze(), Err: dial.err}
		if !dial.handshake {
			e.Err = &transport.ConnectError{
				Service: a.x.dest.Path(), Client: id, Addrs: a.pick.Client.Addrs(), Selected: a.pick.Endpoint.Addr(), Err: dial.err,
			}
		}
		return e
	case a.sending.sent():
		return &weft.Error{Stage: weft.StageReceive, Dst: id, Err: err}
	default:
		return &weft.Error{Stage: weft.StageSend, Dst: id, Unsent: a.x.body.freeze(), Err: err}
	}
}

// done ends the attempt. answered says whether the requeue budget grows: by what
// the protocol's default classifier calls a success, whatever the service's own
// makes of it.
func (a *attempt) done(res weft.Result, answered bool) {
	if a.cancel != nil {
		a.cancel(nil)
	}
	a.sending.release()
	a.x.t.opts.Tracers.Finish(a.span)
	a.pick.DoneDeposit(res, answered)
}
