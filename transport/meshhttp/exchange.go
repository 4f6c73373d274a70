package meshhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// exchange is one request with all its attempts.
type exchange struct {
	t  *Transport
	in inbound

	header  fields // of the outgoing request, as all attempts share it
	url     url.URL
	upgrade string // the protocol that the caller wants to switch to
	hops    string // Max-Forwards of a TRACE, before any attempt has counted it down
	body    *replay
	avoid   string            // the endpoint of the previous attempt
	client  *transport.Client // that it belongs to

	dest       *transport.Dest
	classifier Classifier

	// deadline is that of the timeouts, which the next hop is told.
	deadline propagation.Deadline

	// What follows is room for what every request needs, so that it is allocated in
	// one piece.
	trace    telemetry.TraceContext
	first    attempt
	added    [2][1]string // values of the response's headers
	mem      memBody
	attempts int
	ended    bool
	handling time.Duration // before it was sent; 0 where that is not known

	received atomic.Int64 // bytes of the response's body

	// The result, for who watches.
	status int
	class  weft.Class
	err    error
}

// carry takes a request through the mesh whose context has been read.
func (x *exchange) carry() (*http.Response, error) {
	id, err := x.t.identify(x.in.req)
	if err != nil {
		closeBody(x.in.caller)
		x.endLocalSpan(err)
		x.refused(err)
		return nil, err
	}
	x.begin(id)
	x.annotateName()
	return x.run()
}

// begin makes the parts of the outgoing request that all attempts share. The order
// is Linkerd's: first what the mesh adds, then the hop-by-hop headers go, so that a
// Connection header can take back what was added before it.
func (x *exchange) begin(id Identity) {
	t, in := x.t, &x.in
	if in.begun.IsZero() {
		in.begun = time.Now()
	}
	x.header.Header, x.url = in.header, outgoingURL(in.req, id.URI)
	h := x.header.Header
	x.upgrade = upgradeOf(h)
	if in.req.Method == http.MethodTrace {
		x.hops = h.Get("Max-Forwards")
	}
	x.header.Set(headerDstService, id.Path.String())
	x.header.Set(headerVia, via(h, in.req.ProtoMajor, in.req.ProtoMinor))
	stripHopByHop(h)
	if x.upgrade != "" {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{x.upgrade}
	}
	delete(h, headerReplayable) // it is between two hops; added below if it holds for the next
	if in.proxied {
		// The listener has said "100 Continue" itself: the endpoint is not asked again.
		delete(h, "Expect")
		if _, ok := h["User-Agent"]; !ok {
			h["User-Agent"] = nil // keeps net/http from making one up
		}
	}
	if body := in.caller.Body; body != nil && body != http.NoBody {
		limit := t.opts.MaxReplayBytes
		if in.caller.ContentLength > int64(limit) {
			limit = 0 // it will not fit: nothing needs to be kept
		}
		x.body = newReplay(in.caller, limit, !in.proxied)
		x.body.state = in.body
		x.body.load()
		if in.caller.ContentLength > 0 && limit > 0 {
			h[headerReplayable] = []string{""}
		}
	}

	// Everything that is kept between requests hangs on the Dest: the binding, the
	// retry budget, the metrics of the logical name.
	x.dest = t.router.Dest(id.Path, weft.LocalDtab(in.ctx))
	if s, _ := x.dest.Options().Adapter.(*ServiceSettings); s != nil {
		x.classifier = s.Classifier
	}
}

// run makes attempts until there is a result to return.
func (x *exchange) run() (*http.Response, error) {
	// The timeouts are outside the retry loop, so that they cover all attempts and
	// the delays between them, and end when the response begins: a stream may take as
	// long as it likes.
	loop, stop := x.limits()
	defer stop()
	resp, res := retry.Do(loop, x.dest.Policy(), x.attempt, discard)
	return x.finish(resp, res)
}

// limits returns the context of the retry loop, which ends at the earliest of the
// deadline that came with the request, the listener's timeout and the total
// timeout of the logical name, and says which one it was.
func (x *exchange) limits() (context.Context, context.CancelFunc) {
	var end time.Time
	var cause error
	first := func(at time.Time, err error) {
		if cause == nil || at.Before(end) {
			end, cause = at, err
		}
	}
	limit := func(d time.Duration, label string) {
		if d > 0 {
			at := x.in.begun.Add(d)
			x.deadline = x.deadline.Combine(propagation.Deadline{Timestamp: x.in.begun, At: at})
			first(at, &transport.TimeoutError{Limit: d, To: label})
		}
	}
	if !x.in.deadline.IsZero() && !x.t.opts.AdvisoryDeadline {
		first(x.in.deadline.At, deadlineError{})
	}
	limit(x.in.timeout, x.in.label)
	limit(x.dest.Options().TotalTimeout, x.t.router.Options().Label)
	if cause == nil {
		return x.in.ctx, func() {}
	}
	return context.WithDeadlineCause(x.in.ctx, end, cause)
}

// gone reports whether the caller went away.
func (x *exchange) gone() bool { return errors.Is(x.in.ctx.Err(), context.Canceled) }

// classify decides how an outcome counts. What the caller's leaving has ended
// counts for nobody. An outcome that allows another attempt is one only if the
// body can be sent again, and then the attempt reads no more of it.
func (x *exchange) classify(resp *http.Response, err error) weft.Class {
	if err != nil && x.gone() {
		return weft.Ignored
	}
	class := classify(x.classifier, x.in.req, resp, err)
	if class == weft.Retryable && !x.body.freeze() {
		class = weft.Failure
	}
	return class
}

// failed is the outcome of an attempt that did not get as far as an endpoint.
func (x *exchange) failed(loop context.Context, err error) weft.Result {
	if late := x.late(loop); late != nil {
		err = late
	}
	return weft.Result{Class: x.classify(nil, err), Err: err}
}

// late returns the error of a request whose time is up, nil if it is not: that one
// says more than what it interrupted.
func (x *exchange) late(loop context.Context) error {
	if ended := loop.Err() != nil && x.in.ctx.Err() == nil; !ended {
		return nil
	}
	return &weft.Error{Stage: weft.StageDeadline, Dst: x.dest.Path(), Err: context.Cause(loop)}
}

// finish turns the last outcome into what RoundTrip returns, and records the
// request. What is still open belongs to the response's body from here on.
func (x *exchange) finish(resp *http.Response, res weft.Result) (*http.Response, error) {
	sent := res.Latency
	res.Latency = time.Since(x.in.begun)
	if x.attempts == 1 && sent > 0 {
		x.handling = res.Latency - sent
	}
	x.class, x.err = res.Class, res.Err
	if resp == nil {
		x.dest.Record(res)
		x.endLocalSpan(res.Err)
		x.end()
		var e *weft.Error
		if res.Err != nil && !errors.As(res.Err, &e) {
			res.Err = &weft.Error{Stage: weft.StageReceive, Dst: x.dest.Path(), Err: res.Err}
		}
		return nil, res.Err
	}
	x.status = resp.StatusCode
	x.dress(resp, res.Class)
	x.dest.Record(res)
	switch b := resp.Body.(type) {
	case *body:
		b.x = x
	case *duplex:
		b.x = x
	default: // it is all there
		x.received.Store(resp.ContentLength)
		x.end()
	}
	return resp, nil
}

// dress adds what a response gets on its way back: the class below the hop-by-hop
// headers, Via above them.
func (x *exchange) dress(resp *http.Response, class weft.Class) {
	success := "0.0"
	if class == weft.Success {
		success = "1.0"
	}
	h := resp.Header
	x.added[0][0] = success
	h[headerSuccess] = x.added[0][:]
	stripHopByHop(h)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{x.upgrade}
	}
	x.added[1][0] = via(h, resp.ProtoMajor, resp.ProtoMinor)
	h[headerVia] = x.added[1][:]
	resp.Request = x.in.caller
}

// end gives back what the exchange holds.
func (x *exchange) end() {
	x.ended = true
	x.endLocalSpan(nil)
	if x.body != nil {
		x.body.close()
	}
	if t := x.t.opts.Tap; !x.in.proxied && t.Watched() {
		x.offer(t)
	}
	x.dest.Release()
}
