package meshhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// Errors of an attempt that are answers of the endpoint or of the mesh rather than
// of the network.
var (
	errNacked       = errors.New("The request was Nacked by the server")                                //nolint:staticcheck,revive // Linkerd's text, seen by callers
	errOverloaded   = errors.New("Request not issued to the backend due to observed overload.")         //nolint:staticcheck,revive // Linkerd's text, seen by callers
	errNonRetryable = errors.New("The request was Nacked by the server and must not be sent once more") //nolint:staticcheck,revive // in the style of Linkerd's text
)

// attempt sends the request once. It is the body of the retry loop: everything
// that must be decided anew for every attempt is in here, from the route on,
// because the binding and the endpoints may have changed since the last one.
func (x *exchange) attempt(ctx context.Context, n int) (*http.Response, weft.Result, *retry.Client) {
	route, err := x.dest.Route(ctx)
	if err != nil {
		return nil, x.failed(ctx, err), nil
	}
	pick, err := route.Pick(ctx, weft.Call{Avoid: x.avoid})
	if err != nil {
		return nil, x.failed(ctx, err), nil
	}
	client := pick.Client
	x.avoid = pick.Endpoint.Addr()

	// Below the pick, so that what the endpoint costs is known to the balancer even
	// if nothing is sent.
	state, _ := client.Options().Adapter.(*clientState)
	if state != nil && !state.nack.Admit() {
		res := weft.Result{Class: weft.Ignored, Err: &weft.Error{Stage: weft.StagePick, Dst: client.ID(), Err: errOverloaded}}
		pick.Done(res)
		res.Class = weft.Failure
		return nil, res, client.Retry()
	}

	a := &attempt{x: x, pick: pick, state: state, n: n}
	resp, res := a.send(ctx)
	return resp, res, client.Retry()
}

// failed is the outcome of an attempt that did not get as far as an endpoint.
func (x *exchange) failed(ctx context.Context, err error) weft.Result {
	if cause := context.Cause(ctx); cause != nil {
		var e *weft.Error
		if errors.As(cause, &e) {
			err = e // the total timeout, rather than what it interrupted
		}
	}
	return weft.Result{Class: classify(x.classifier(), x.caller, nil, err, true), Err: err}
}

func (x *exchange) classifier() Classifier {
	if x.service == nil {
		return nil
	}
	return x.service.Classifier
}

// attempt is one sending of the request to one endpoint.
type attempt struct {
	x      *exchange
	pick   transport.Pick
	state  *clientState
	n      int
	wrote  atomic.Bool // the head of the request has left
	cancel context.CancelCauseFunc
	stop   func() bool // takes the retry loop's end off this attempt
	timer  *time.Timer
	span   *telemetry.Span
	whole  bool // the response's body has been read
}

func (a *attempt) send(loop context.Context) (*http.Response, weft.Result) {
	req := a.request(loop)
	resp, err := a.exchange(req)
	if err == nil {
		resp, err = a.accept(resp)
	}
	a.settle()
	if err != nil {
		err = a.explain(loop, err)
		res := weft.Result{Class: classify(a.x.classifier(), a.x.caller, nil, err, a.x.body.replayable()), Err: err}
		a.span.Annotate(telemetry.AnnFailure)
		a.done(res, false)
		return nil, res
	}
	res := weft.Result{
		Class:      classify(a.x.classifier(), a.x.caller, resp, nil, a.x.body.replayable()),
		Latency:    a.pick.Elapsed(),
		RetryAfter: retryAfter(resp),
	}
	if a.state != nil && a.state.AccessLog != nil {
		a.state.AccessLog(AccessEntry{Request: req, Response: resp})
	}
	a.own(resp, res)
	return resp, res
}

// request makes the outgoing request of this attempt.
func (a *attempt) request(loop context.Context) *http.Request {
	x := a.x
	ctx, trace := propagation.ClientSpan(propagation.Advertise(x.ctx, x.deadline))
	if limit := a.pick.Client.Options().AttemptTimeout; limit > 0 {
		now := time.Now()
		ctx = propagation.Advertise(ctx, propagation.Deadline{Timestamp: now, At: now.Add(limit)})
	}

	if a.n > 0 {
		x.header = x.header.Clone() // the previous attempt may still be writing it
	}
	header := x.header
	header[headerDstClient] = []string{a.pick.Client.ID().String()}
	if !a.pick.Residual.IsEmpty() {
		header[headerDstRes] = []string{a.pick.Residual.String()}
	}
	x.t.opts.Propagation.Inject(ctx, carrierOf(header))
	if a.state != nil {
		forwardClientCert(header, a.state.ForwardClientCert, x.caller.TLS)
	}

	a.span = x.t.opts.Tracers.Start(trace, telemetry.ClientSpan, x.caller.Method)
	a.annotate()

	ctx = a.limit(ctx, loop)
	ctx = httptrace.WithClientTrace(ctx, a.trace())
	u := *x.uri
	req := (&http.Request{
		Method: x.caller.Method, URL: &u, Host: x.host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: x.caller.ContentLength, Trailer: x.caller.Trailer, RemoteAddr: x.caller.RemoteAddr,
	}).WithContext(ctx)
	if x.body != nil {
		req.Body, req.GetBody = x.body.next(), x.body.getBody
		if req.ContentLength > 0 {
			header[headerReplayable] = []string{""}
		}
	}
	if authority := a.pick.Client.Meta()["authority"]; authority != "" {
		req.Host = authority
	}
	return req
}

// trace learns from net/http what it does not return: whether the head of the
// request has left, and which connection it left on.
func (a *attempt) trace() *httptrace.ClientTrace {
	var conn *countedConn
	return &httptrace.ClientTrace{
		WroteHeaders: func() { a.wrote.Store(true) },
		GotConn: func(i httptrace.GotConnInfo) {
			if !i.Reused {
				a.pick.Connected()
			}
			if conn, _ = i.Conn.(*countedConn); conn != nil && conn.timer != nil {
				conn.taken()
			}
		},
		PutIdleConn: func(error) {
			if conn != nil && conn.timer != nil {
				conn.idle()
			}
		},
	}
}

// limit bounds the attempt: by its own timeout, and by the end of the retry loop.
// Both stop counting when the response begins (see settle).
func (a *attempt) limit(ctx, loop context.Context) context.Context {
	limit := a.pick.Client.Options().AttemptTimeout
	if limit <= 0 && loop == a.x.ctx {
		return ctx
	}
	ctx, a.cancel = context.WithCancelCause(ctx)
	if loop != a.x.ctx {
		a.stop = context.AfterFunc(loop, func() { a.cancel(context.Cause(loop)) })
	}
	if limit > 0 {
		a.timer = time.AfterFunc(limit, func() {
			a.cancel(&transport.TimeoutError{
				Limit: limit, To: a.pick.Client.ID().String(), Attempt: true, Remote: a.pick.Endpoint.Addr(),
			})
		})
	}
	return ctx
}

// settle stops the timers of the attempt.
func (a *attempt) settle() {
	if a.stop != nil {
		a.stop()
	}
	if a.timer != nil {
		a.timer.Stop()
	}
}

// exchange does what is specific to the endpoint: a real one is sent the request,
// TRACE may be answered on the way, and a name such as /$/io.buoyant.http.status
// has no endpoint at all.
func (a *attempt) exchange(req *http.Request) (*http.Response, error) {
	if err := checkFraming(req.Header); err != nil {
		a.wrote.Store(true) // nothing was, and nothing must be tried again
		return textResponse(req, http.StatusBadRequest, err.Error(), true), nil
	}
	switch conn := a.pick.Conn().(type) {
	case *wire:
		if req.Method == http.MethodTrace {
			return a.diagnose(req, conn)
		}
		if req.Method == http.MethodConnect {
			return conn.tunnel(req)
		}
		return conn.roundTrip(req)
	case localAnswer:
		return conn.roundTrip(req)
	default:
		return nil, errors.New("meshhttp: the endpoint has no connection")
	}
}

// accept looks at the head of a response: refusals of Finagle peers are not
// responses, and short bodies are read now.
func (a *attempt) accept(resp *http.Response) (*http.Response, error) {
	if err := checkFraming(resp.Header); err != nil {
		drain(resp)
		return nil, err
	}
	nacked := isNack(resp)
	if a.state != nil {
		a.state.nack.Observe(nacked)
	}
	if nacked && a.x.caller.ContentLength >= 0 {
		drain(resp)
		return nil, &weft.Error{Stage: weft.StageReceive, Dst: a.pick.Client.ID(), Unsent: a.x.body.replayable(), Err: errNacked}
	}
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get(headerNackNoRe) != "" {
		drain(resp)
		return nil, errNonRetryable
	}
	if limit := a.x.t.opts.BufferBytes; resp.ContentLength > 0 && resp.ContentLength <= limit && a.x.caller.Method != http.MethodHead {
		body := make([]byte, resp.ContentLength)
		_, err := io.ReadFull(resp.Body, body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		resp.Body, a.whole = io.NopCloser(bytes.NewReader(body)), true
	}
	rewriteLocation(resp, a.pick.Client.Meta()["authority"], a.x.host)
	return resp, nil
}

// explain dresses an error with where it happened and whether the request can
// have been processed.
func (a *attempt) explain(loop context.Context, err error) error {
	var e *weft.Error
	if errors.As(err, &e) {
		return err
	}
	client := a.pick.Client
	if cause := context.Cause(loop); cause != nil && errors.As(cause, &e) {
		return e // the total timeout
	}
	var timeout *transport.TimeoutError
	if errors.As(err, &timeout) {
		return &weft.Error{Stage: weft.StageReceive, Dst: client.ID(), Err: timeout}
	}
	var dial *dialError
	if errors.As(err, &dial) {
		a.pick.ConnectFailed(dial.err)
		return &weft.Error{Stage: weft.StageConnect, Dst: client.ID(), Unsent: true, Err: &transport.ConnectError{
			Service: a.x.dest.Path(), Client: client.ID(), Addrs: client.Addrs(), Selected: a.pick.Endpoint.Addr(), Err: dial.err,
		}}
	}
	if !a.wrote.Load() {
		return &weft.Error{Stage: weft.StageSend, Dst: client.ID(), Unsent: a.x.body.replayable(), Err: err}
	}
	return &weft.Error{Stage: weft.StageReceive, Dst: client.ID(), Err: err}
}

// done ends the attempt.
func (a *attempt) done(res weft.Result, answered bool) {
	if a.cancel != nil {
		a.cancel(nil)
	}
	a.span.Annotate(telemetry.AnnClientRecv)
	a.x.t.opts.Tracers.Finish(a.span)
	// The requeue budget grows with what the protocol's default classifier calls a
	// success, whatever the service's own makes of it.
	a.pick.DoneDeposit(res, answered)
}

// annotate notes what is known before the request leaves, on the client span and
// on the server span around it.
func (a *attempt) annotate() {
	a.span.Tag("clnt/finagle.label", a.pick.Client.ID().String())
	a.span.Tag("http.method", a.x.caller.Method)
	a.span.Tag("http.uri", a.x.uri.RequestURI())
	a.span.Tag(telemetry.TagServerAddr, a.pick.Endpoint.Addr())
	a.span.Annotate(telemetry.AnnClientSend)
	s := a.x.span
	s.Tag(telemetry.TagService, a.x.dest.Path().String())
	s.Tag(telemetry.TagClient, a.pick.Client.ID().String())
	if !a.pick.Residual.IsEmpty() {
		s.Tag(telemetry.TagResidual, a.pick.Residual.String())
	}
}

// isNack reports whether a Finagle server refused the request before processing
// it. A plain server that says 503 and Retry-After: 0 means the same.
func isNack(resp *http.Response) bool {
	if resp.StatusCode != http.StatusServiceUnavailable {
		return false
	}
	_, nack := resp.Header[headerNack]
	return nack || resp.Header.Get("Retry-After") == "0"
}

// retryAfter reads Retry-After in seconds.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	d, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// rewriteLocation replaces the authority that the endpoint was addressed with by
// the one the caller knows, in the headers that redirect.
func rewriteLocation(resp *http.Response, authority, host string) {
	if authority == "" || host == "" {
		return
	}
	for _, name := range [...]string{"Location", "Refresh"} {
		for i, v := range resp.Header[name] {
			resp.Header[name][i] = strings.ReplaceAll(v, authority, host)
		}
	}
}

// discard gives up a response that is not going to be returned, so that its
// connection can be used again.
func discard(resp *http.Response) {
	if resp != nil {
		drain(resp)
	}
}

// drain reads what little is left of a body and closes it.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // more is cheaper to cut off than to read
	_ = resp.Body.Close()
}
