package meshh2

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
)

// exchange is one request with all its attempts. It is the http2.Receiver of the
// caller's stream; each attempt is that of an endpoint's.
//
// mu covers everything of both directions but what Sent touches, which may be called
// while another connection's event holds another exchange's mu. It is held while
// streams and connections are called: their locks are below it.
//
// Exchanges are used again. What still refers to one that has ended is at most an
// event that was on its way: it finds another stream in its place.
type exchange struct {
	mu    sync.Mutex
	first attempt // most requests need no other
	exchangeState
}

type exchangeState struct {
	h    *Handler
	r    *Relay
	peer *peer
	in   *http2.Stream

	begun time.Time
	span  *telemetry.Span // of the server, if anybody wants one

	req  Request
	body requestBody

	ctx    context.Context //nolint:containedctx // has the per-request dtab, no more
	dest   *transport.Dest // nil before the request is identified
	set    *serviceState
	loop   retry.Loop
	limits limits
	wake   wake // belongs to the alarm of peer
	woken  bool // it may be in there

	cur    *attempt // nil while there is none, as during a backoff
	tries  int
	avoid  string            // the endpoint of the previous attempt
	client *transport.Client // that it belongs to

	headSent bool          // the caller has the head of a response
	muted    bool          // and is not to get the rest of it
	asked    bool          // the retry loop has ended
	closed   bool          // the caller's stream was reset
	from     *http2.Stream // that the response comes from; nil: the mesh
	now      time.Duration // since the beginning, as this event sees it; 0: not looked at yet
	latency  time.Duration // of the head, from the beginning
	handling time.Duration // that was spent waiting before the first attempt could be sent
	over     bool          // the response has ended, or never will begin
	counted  bool          // among those that MaxConcurrent bounds
	failure  string        // where the request failed, for the span
	status   string        // sent to the caller
	success  weft.Class    // as far as the listener's metrics are concerned

	stream   openStream   // the caller's
	credited atomic.Int64 // bytes of the request that the caller has its window back for

	fields *Head // where the memory of req comes from

	queued   bool // something has waited for a window, so that Sent may be called
	parked   bool // something has waited in a goroutine, or for a connection
	finished bool // nothing will come any more: to be used again
}

// unlock ends an event.
func (x *exchange) unlock() {
	if !x.finished {
		x.mu.Unlock()
		return
	}
	r, body, held := x.r, reused(x.body.buf), reused(x.first.heldData)
	x.exchangeState = exchangeState{}
	x.first.attemptState = attemptState{}
	x.body.buf, x.first.heldData = body, held
	x.mu.Unlock()
	r.exchanges.Put(x)
}

// begin takes a request from its head to its first attempt. The order of the steps
// is Linkerd's.
func (x *exchange) begin(fields []hpack.HeaderField, end bool) {
	h := x.h
	x.fields = x.r.head()
	x.req.Fields = x.fields.Fields
	x.req.Load(fields)
	x.body.ended = end
	h.stats.begin()
	x.stream.open(&h.stats.streams, 0, end)
	// The caller's context first: a bad dtab is the caller's mistake and is answered
	// before anything else looks at the request. The server span begins as soon as the
	// trace is known.
	err := x.req.Arrive(x.peer.ctx, &h.rules, x.peer.local, x.peer.remote)
	if !x.req.Trace.IsZero() {
		x.startSpan()
	}
	if err != nil {
		x.fail(err)
		return
	}
	// Above everything that costs something.
	if h.opts.MaxConcurrent > 0 {
		x.counted = true
		if h.active.Add(1) > int64(h.opts.MaxConcurrent) {
			x.fail(ErrOverloaded)
			return
		}
	}
	// The identifier sees the head as it is now, without the caller's context.
	path, err := x.r.identify(&x.req.Head)
	if err != nil {
		x.fail(err)
		return
	}
	x.ctx = x.peer.ctx
	if len(x.req.Local) > 0 {
		x.ctx = weft.AddDtab(x.ctx, x.req.Local)
	}
	// Everything that is kept between requests hangs on the Dest: the binding, the
	// retry budget, the metrics of the logical name.
	x.dest = x.r.router.Dest(path, x.req.Local)
	x.annotateName()
	opts := x.dest.Options()
	x.set, _ = opts.Adapter.(*serviceState)
	if b := x.dest.Budget(); b != nil {
		b.Deposit() // for every request, whatever becomes of it
	}
	x.body.limit = x.set.RequestBytes
	x.req.Route(path)
	// The timeouts are outside the attempts, so that they cover all of them and the
	// delays between them.
	if err := x.setLimits(opts.TotalTimeout); err != nil {
		x.fail(err)
		return
	}
	x.next(x.peer.conn)
	x.arm()
}

// Head implements http2.Receiver; callers send none.
func (x *exchange) Head(*http2.Stream, []hpack.HeaderField, bool) {}

// Data implements http2.Receiver: a piece of the request's body.
func (x *exchange) Data(s *http2.Stream, p []byte, end bool) {
	x.mu.Lock()
	defer x.unlock()
	if s != x.in {
		return
	}
	x.body.ended = x.body.ended || end
	if x.stream.requestData(len(p)); end {
		x.now = 0
		x.stream.requestEnd(x.elapsed())
	}
	a := x.cur
	switch {
	case a != nil && a.out != nil:
		x.body.keep(p)
		a.sendData(p, end)
		x.peer.conn.FlushAfter(a.out.Conn())
	case x.over:
		s.Consume(len(p)) // nobody wants it any more
	default:
		// There is nowhere to send it yet. The caller's window bounds what comes.
		x.body.pending(p)
	}
}

// Trailer implements http2.Receiver: the end of the request.
func (x *exchange) Trailer(s *http2.Stream, fields []hpack.HeaderField) {
	x.mu.Lock()
	defer x.unlock()
	if s != x.in {
		return
	}
	x.body.ended = true
	x.now = 0
	x.stream.requestTrailer()
	x.stream.requestEnd(x.elapsed())
	if a := x.cur; a != nil && a.out != nil {
		a.sendTrailer(fields)
		x.peer.conn.FlushAfter(a.out.Conn())
	}
	if !x.over {
		x.body.trailer = append(make([]hpack.HeaderField, 0, len(fields)), fields...)
	}
}

// Sent implements http2.Receiver: the caller has taken n bytes of the response, so
// the endpoint may send as many more.
func (x *exchange) Sent(_ *http2.Stream, n int) {
	// Which attempt the response is of does not change after its head was sent, which
	// was before any of its data.
	if out := x.from; out != nil {
		out.Consume(n)
		out.Conn().Flush()
	}
}

// Reset implements http2.Receiver: the caller has lost interest, or is gone.
func (x *exchange) Reset(s *http2.Stream, err error) {
	x.mu.Lock()
	defer x.unlock()
	if s != x.in {
		return
	}
	x.now = 0
	code := xhttp2.ErrCodeCancel
	if e, ok := errors.AsType[*http2.ResetError](err); ok && e.Remote {
		code = e.Code // its reason may matter to the endpoint
	}
	x.stream.reset(x.elapsed(), true)
	a := x.cur
	x.cur = nil
	if x.over { // of the request only something was still going on
		if a != nil && a.out != nil {
			a.stream.reset(x.elapsed(), false)
			a.out.Reset(code)
			x.peer.conn.FlushAfter(a.out.Conn())
		}
		return
	}
	// It counts for nobody that the caller has left.
	gone := &weft.Error{Stage: weft.StageReceive, Err: context.Canceled}
	if x.dest != nil {
		gone.Dst = x.dest.Path()
	}
	res := weft.Result{Class: weft.Ignored, Err: gone}
	if a != nil {
		a.stop(x.peer.conn, code)
		a.finish(res, false)
	}
	x.loopEnd(nil)
	x.success = weft.Ignored
	x.end(res)
}

// next begins another attempt. on is the connection whose event this is, nil if it
// is none's.
func (x *exchange) next(on *http2.Conn) {
	a := &x.first
	if x.tries > 0 {
		a = &attempt{x: x}
		a.n = x.tries
	}
	x.tries++
	x.cur = a
	a.begin(on)
}

// fail ends a request for which there is not even an attempt.
func (x *exchange) fail(err error) {
	x.giveUp(x.peer.conn, weft.Result{Class: weft.Failure, Err: err})
}

// again begins another attempt after one that ended with res, if there is one to
// be, at once or after a delay. It may downgrade res.
func (x *exchange) again(on *http2.Conn, a *attempt, res *weft.Result) bool {
	var client *retry.Client
	if a.pick.Client != nil {
		client = a.pick.Client.Retry()
	}
	if x.body.dropped && res.Class == weft.Retryable {
		// What was sent is not there any more, so that it cannot be sent once more.
		x.set.counters().requestTooLong.Inc()
		res.Class = weft.Failure
	}
	// The retry loop counts, so it is asked whatever the answer will be.
	policy := retry.Policy{}
	if x.dest != nil {
		policy = x.dest.Policy()
	}
	if !x.loop.Again((*loopContext)(x), &policy, client, res) {
		x.loopEnd(nil)
		return false
	}
	a.stop(on, xhttp2.ErrCodeCancel)
	a.finish(*res, a.status != "")
	x.cur = nil
	if d := x.loop.Delay(); d > 0 {
		x.limits.resume = time.Now().Add(d)
		return true
	}
	x.next(on)
	return true
}

// end records the request when its response has ended, or there will be none. What
// the caller still sends is passed on if the endpoint still takes it.
func (x *exchange) end(res weft.Result) {
	x.over = true
	if x.woken {
		x.peer.alarm.clear(x)
	}
	if x.unpark(); x.counted {
		x.h.active.Add(-1)
	}
	if x.latency == 0 {
		x.latency = x.elapsed()
	}
	if t := x.r.opts.Tap; t.Watched() {
		x.offer(t, res)
	}
	if x.dest != nil {
		res.Latency = x.latency
		x.dest.Done(res)
	}
	x.release()
	x.h.stats.end(x, res.Err)
	x.endSpan()
}

// elapsed returns the time since the beginning.
func (x *exchange) elapsed() time.Duration {
	if x.now == 0 {
		x.now = time.Since(x.begun)
	}
	return x.now
}

// release drops what only another attempt would need: the request as it came.
func (x *exchange) release() {
	x.body.release()
	if h := x.fields; h != nil {
		x.fields = nil
		h.Fields, x.req.Fields = x.req.Fields, nil
		x.r.free(h)
	}
}

// unpark ends the waiting for the naming.
func (x *exchange) unpark() {
	if x.limits.unpark != nil {
		x.limits.unpark()
		x.limits.unpark = nil
	}
}

// park has wait run where it may take its time, with a context that ends when the
// exchange gives up, and done called with the lock held unless it has.
func (x *exchange) park(a *attempt, wait func(ctx context.Context), done func(stale bool)) {
	x.parked = true
	ctx, cancel := context.WithCancel(x.ctx)
	x.limits.unpark = cancel
	ok := x.r.park(func() {
		wait(ctx)
		cancel()
		x.mu.Lock()
		defer x.unlock()
		x.now = 0
		done(x.cur != a || a.over)
		x.arm()
	})
	if !ok {
		cancel()
		a.failed(nil, &weft.Error{Stage: weft.StageBind, Dst: x.dest.Path(), Unsent: true, Err: transport.ErrClosed})
	}
}

// deadline is what the next hop is told besides what came with the request.
func (x *exchange) deadline(attempt time.Duration) propagation.Deadline {
	d := x.limits.told
	if attempt > 0 {
		now := time.Now()
		d = d.Combine(propagation.Deadline{Timestamp: now, At: now.Add(attempt)})
	}
	return d
}

// flush has what was written to a connection leave it: with everything else that
// its event brings about, or now.
func flush(on, written *http2.Conn) {
	if on == nil {
		written.Flush()
		return
	}
	on.FlushAfter(written)
}
