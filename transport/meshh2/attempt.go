package meshh2

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
)

// maxReopen is how many connections an attempt may be given that turn out to take no
// more streams. Beyond it, the retry loop decides.
const maxReopen = 3

// attempt is one sending of a request to one endpoint. It is the http2.Receiver of
// the endpoint's stream. The exchange's lock covers it.
//
// Everything that must be decided anew for every attempt is in here, from the route
// on, because the binding and the endpoints may have changed since the last one.
type attempt struct {
	x *exchange
	attemptState
}

type attemptState struct {
	n     int           // 0 is the first one
	since time.Duration // from the exchange's beginning to the pick, as far as it matters
	pick  transport.Pick
	to    *endpoint // nil before the pick, and for answers of the mesh
	span  *telemetry.Span

	departed bool          // the head of the request is that of this attempt
	asked    time.Duration // from the exchange's beginning to the wait for a connection
	cancel   func()        // ends the wait for a connection; nil: there is none
	reopened int
	out      *http2.Stream // nil before there is a connection
	until    time.Time     // the head must have come, or the connection; zero: no limit
	waiting  bool          // until is about the connection
	moved    atomic.Int64  // bytes of the request that the endpoint's connection has taken

	response
	stream    openStream
	diagnosis *diagnosis // what is added to the response; nil: nothing
	over      bool       // the outcome is known
}

// begin finds out where the request goes.
func (a *attempt) begin(on *http2.Conn) {
	x := a.x
	if route, err, ok := x.dest.Ready(); ok {
		a.routed(on, route, err)
		return
	}
	a.awaitRoute()
}

// awaitRoute finds out where it may take its time. It is apart so that what the
// waiting needs costs nothing where there is none.
func (a *attempt) awaitRoute() {
	var route *transport.Route
	var err error
	a.x.park(a,
		func(ctx context.Context) { route, err = a.x.dest.Route(ctx) },
		func(stale bool) {
			if !stale {
				a.routed(nil, route, err)
			}
		})
}

// routed picks an endpoint. Picking waits only with WaitHealthy.
func (a *attempt) routed(on *http2.Conn, route *transport.Route, err error) {
	if err != nil {
		a.failed(on, err)
		return
	}
	pick, err := route.Pick(a.x.r.noWait, weft.Call{Avoid: a.x.avoid})
	if err == nil {
		a.picked(on, pick)
		return
	}
	if !errors.Is(err, context.Canceled) {
		a.failed(on, err)
		return
	}
	a.awaitPick(route)
}

// awaitPick picks where it may take its time.
func (a *attempt) awaitPick(route *transport.Route) {
	var pick transport.Pick
	var err error
	avoid := a.x.avoid
	a.x.park(a,
		func(ctx context.Context) { pick, err = route.Pick(ctx, weft.Call{Avoid: avoid}) },
		func(stale bool) {
			switch {
			case stale:
				pick.Done(weft.Result{Class: weft.Ignored, Err: context.Canceled})
			case err != nil:
				a.failed(nil, err)
			default:
				a.picked(nil, pick)
			}
		})
}

// picked sends the request to the endpoint, or answers in its place.
func (a *attempt) picked(on *http2.Conn, pick transport.Pick) {
	a.pick = pick
	a.x.avoid, a.x.client = pick.Endpoint.Addr(), pick.Client
	if a.n > 0 || a.x.parked {
		a.since = time.Since(a.x.begun)
	}
	if a.n == 0 {
		a.x.handling = a.since
	}
	// Naming and picking may have waited: nothing is sent after its time.
	if a.x.late() {
		a.failed(on, &weft.Error{Stage: weft.StageDeadline, Dst: pick.Client.ID(), Unsent: true, Err: a.x.limits.cause})
		return
	}
	switch conn := pick.Conn().(type) {
	case *endpoint:
		a.to = conn
		if a.x.req.Method == http.MethodTrace {
			a.diagnose(on)
			return
		}
		a.connect(on)
	case localAnswer:
		a.depart()
		conn.answer(on, a)
	default:
		a.failed(on, errNoConnection)
	}
}

// connect gets a connection to the endpoint, one that is there already if possible.
func (a *attempt) connect(on *http2.Conn) {
	if conn := a.to.client.Pick(); conn != nil {
		a.to.state.stats.acquired.Record(0)
		a.open(on, conn)
		return
	}
	a.x.parked, a.asked = true, a.x.elapsed()
	conn, cancel := a.to.client.Acquire(a.connected)
	if conn != nil {
		a.open(on, conn)
		return
	}
	a.cancel = cancel
	if a.until.IsZero() {
		// Dialling has limits of its own. What has none is the wait for room on the
		// connections that there are.
		a.waiting, a.until = true, time.Now().Add(a.x.r.router.Options().BindingTimeout)
	}
}

// connected is told of a connection that had to be waited for.
func (a *attempt) connected(conn *http2.Conn, err error) {
	a.x.mu.Lock()
	defer a.x.mu.Unlock()
	if a.x.cur != a || a.over {
		return
	}
	a.cancel, a.x.now = nil, 0
	if err != nil {
		a.failed(nil, a.connectError(err))
	} else {
		a.pick.Connected()
		a.to.state.stats.acquired.RecordMillis(a.x.elapsed() - a.asked)
		a.open(nil, conn)
	}
	a.x.arm()
}

// open sends what there is of the request.
func (a *attempt) open(on, conn *http2.Conn) {
	x := a.x
	a.depart()
	if a.waiting {
		a.waiting, a.until = false, time.Time{}
	}
	// Linkerd's attempt timeout begins when there is a connection.
	if limit := a.to.state.attemptTimeout; limit > 0 {
		a.until = time.Now().Add(limit)
	}
	b := &x.body
	bare := b.ended && len(b.buf) == 0 && b.trailer == nil
	s, err := conn.Open(a, x.req.Fields, bare)
	if err != nil {
		a.reopen(on, err)
		return
	}
	a.out = s
	a.annotateSent()
	a.stream.open(&a.to.state.stats.streams, a.since, bare)
	if !bare && (len(b.buf) > 0 || b.ended && b.trailer == nil) {
		a.sendData(b.buf, b.ended && b.trailer == nil)
		b.sent()
		flush(on, x.peer.conn) // whose window was given back
	}
	if b.trailer != nil {
		a.sendTrailer(b.trailer)
	}
	flush(on, conn)
}

// reopen is for a connection that took no more streams after all.
func (a *attempt) reopen(on *http2.Conn, err error) {
	if a.reopened++; a.reopened <= maxReopen {
		a.connect(on)
		return
	}
	a.failed(on, &weft.Error{Stage: weft.StageSend, Dst: a.pick.Client.ID(), Unsent: true, Err: err})
}

// depart makes the head of the request as this endpoint gets it, once.
func (a *attempt) depart() {
	if a.departed {
		return
	}
	a.departed = true
	x := a.x
	to := Departure{
		Client: a.pick.Client.ID(), Residual: a.pick.Residual,
		Authority: a.pick.Client.Meta()["authority"], Trace: x.r.opts.Tracers.Next(x.req.Trace),
	}
	if a.to != nil {
		to.Deadline = x.deadline(a.to.state.attemptTimeout)
		if a.to.state.ForwardClientCert {
			to.ClientCert = x.peer.tls
		}
	}
	x.req.Depart(x.ctx, x.r.opts.Propagation, to)
	a.span = x.r.opts.Tracers.Start(to.Trace, telemetry.ClientSpan, x.req.Method)
	a.annotateBegin()
}

// sendData passes a piece of the request on.
func (a *attempt) sendData(p []byte, end bool) {
	n, _ := a.out.SendData(p, end) // a stream that has failed tells so by itself
	if n < len(p) {
		a.x.queued = true
	}
	if a.stream.requestData(len(p)); end {
		a.stream.requestEnd(a.x.elapsed())
	}
	a.credit(n)
}

// sendTrailer passes the end of the request on.
func (a *attempt) sendTrailer(fields []hpack.HeaderField) {
	_ = a.out.SendTrailer(fields) // a stream that has failed tells so by itself
	a.stream.requestTrailer()
	a.stream.requestEnd(a.x.elapsed())
}

// Sent implements http2.Receiver: the endpoint has taken n bytes of the request, so
// the caller may send as many more.
func (a *attempt) Sent(_ *http2.Stream, n int) {
	a.credit(n)
	a.x.peer.conn.Flush()
}

// credit gives the caller its window back, once for each byte however many attempts
// have sent it.
func (a *attempt) credit(n int) {
	if n == 0 {
		return
	}
	moved := a.moved.Add(int64(n))
	for {
		given := a.x.credited.Load()
		if moved <= given {
			return
		}
		if a.x.credited.CompareAndSwap(given, moved) {
			a.x.in.Consume(int(moved - given))
			return
		}
	}
}

// Reset implements http2.Receiver: the endpoint has given up the stream, or is gone.
func (a *attempt) Reset(s *http2.Stream, err error) {
	x := a.x
	x.mu.Lock()
	defer x.unlock()
	if x.cur != a || a.out != s {
		return
	}
	on := s.Conn()
	x.now = 0
	a.stream.reset(x.elapsed(), true)
	if a.over { // the response was complete: nobody wants the rest of the request
		x.cur = nil
		if code, ok := ResetCode(err); ok {
			x.reset(on, code)
		} else {
			x.reset(on, xhttp2.ErrCodeNo)
		}
		return
	}
	a.broken(on, &weft.Error{
		Stage: weft.StageReceive, Dst: a.pick.Client.ID(), Err: err,
		Unsent: a.status == "" && !x.body.dropped && Unprocessed(err),
	})
	x.arm()
}

// timedOut is called when until has passed.
func (a *attempt) timedOut() {
	x, id := a.x, a.pick.Client.ID()
	limit := a.to.state.attemptTimeout
	if a.waiting {
		limit = x.r.router.Options().BindingTimeout
		a.failed(nil, &weft.Error{
			Stage: weft.StageBind, Dst: id, Unsent: true, // of which there is no second try
			Err: &transport.BindingTimeoutError{Timeout: limit, Path: x.dest.Path(), Tree: id.String()},
		})
		return
	}
	a.failed(nil, &weft.Error{Stage: weft.StageReceive, Dst: id, Err: &transport.TimeoutError{
		Limit: limit, To: id.String(), Attempt: true, Remote: a.pick.Endpoint.Addr(),
	}})
}

// failed ends an attempt that got no response.
func (a *attempt) failed(on *http2.Conn, err error) {
	x := a.x
	class, _ := x.set.Classifier.Early(x.req.Method, nil, err)
	a.giveUp(on, weft.Result{Class: class, Err: err})
}

// giveUp ends an attempt that comes to nothing, and the exchange unless there is to
// be another one.
func (a *attempt) giveUp(on *http2.Conn, res weft.Result) {
	x := a.x
	if x.again(on, a, &res) {
		return
	}
	a.stop(on, xhttp2.ErrCodeCancel)
	a.finish(res, a.status != "")
	x.cur = nil
	x.giveUp(on, res)
}

// stop ends what is under way. The endpoint is told by a reset unless both sides
// have said everything.
func (a *attempt) stop(on *http2.Conn, code xhttp2.ErrCode) {
	if a.cancel != nil {
		a.cancel()
		a.cancel = nil
	}
	if a.out != nil {
		a.stream.reset(a.x.elapsed(), false)
		a.out.Reset(code)
		flush(on, a.out.Conn())
	}
	a.until, a.holdUntil = time.Time{}, time.Time{}
	if a.held != nil {
		a.x.r.free(a.held)
		a.held, a.heldData = nil, a.heldData[:0]
	}
}

// finish records how the attempt went. answered says whether the requeue budget
// grows: any response of an endpoint earns requeues, whatever the service's own
// classifier makes of it.
func (a *attempt) finish(res weft.Result, answered bool) {
	a.over = true
	a.endSpan(res)
	if a.to != nil {
		took := a.latency
		if took == 0 {
			took = a.x.elapsed() - a.since
		}
		a.to.state.stats.end(a.status, took, res.Err)
	}
	res.Latency = a.latency // the head's: how long a stream goes on says nothing of the endpoint
	a.pick.DoneDeposit(res, answered)
}

// connectError dresses an error of making a connection.
func (a *attempt) connectError(err error) error {
	id := a.pick.Client.ID()
	if dial, ok := errors.AsType[*dialError](err); ok {
		return &weft.Error{Stage: weft.StageConnect, Dst: id, Err: dial.err} // it would be the same again
	}
	handshake := false
	if dial, ok := errors.AsType[*http2.DialError](err); ok {
		handshake, err = dial.Handshake, dial.Err
	}
	a.pick.ConnectFailed(err)
	e := &weft.Error{Stage: weft.StageConnect, Dst: id, Unsent: true, Err: err}
	if !handshake {
		e.Err = &transport.ConnectError{
			Service: a.x.dest.Path(), Client: id, Addrs: a.pick.Client.Addrs(), Selected: a.pick.Endpoint.Addr(), Err: err,
		}
	}
	return e
}
