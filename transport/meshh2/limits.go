package meshh2

import (
	"context"
	"time"

	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport"
)

// limits are the times at which an exchange does something by itself. What wakes it
// is the alarm of the caller's connection.
type limits struct {
	begin  time.Time // the response must have begun; zero: no limit
	cause  error     // what says so
	call   time.Time // the response must have ended (grpc-timeout)
	resume time.Time // the delay before the next attempt is over

	told propagation.Deadline // what the next hop is told of the timeouts

	unpark func() // ends what waits for the naming; nil: nothing does
}

// setLimits finds out how long the request may take: the earliest of the deadlines
// that came with it, the listener's timeout and the total timeout of the logical
// name. The error is that of a request whose time is up.
func (x *exchange) setLimits(total time.Duration) error {
	l := &x.limits
	first := func(at time.Time, err error) {
		if l.cause == nil || at.Before(l.begin) {
			l.begin, l.cause = at, err
		}
	}
	limit := func(d time.Duration, label string) {
		if d > 0 {
			at := x.begun.Add(d)
			l.told = l.told.Combine(propagation.Deadline{Timestamp: x.begun, At: at})
			first(at, &transport.TimeoutError{Limit: d, To: label})
		}
	}
	if l.call = x.req.End; !l.call.IsZero() {
		first(l.call, deadlineError{})
	}
	if d := x.req.Deadline; !d.IsZero() && !x.r.opts.AdvisoryDeadline {
		first(d.At, deadlineError{})
	}
	limit(x.h.opts.Timeout, x.h.opts.Label)
	limit(total, x.r.router.Options().Label)
	if x.late() {
		return &weft.Error{Stage: weft.StageDeadline, Dst: x.dest.Path(), Unsent: true, Err: l.cause}
	}
	return nil
}

// late reports whether the time is up for a response to begin.
func (x *exchange) late() bool { return due(x.limits.begin, time.Now) }

func due(at time.Time, now func() time.Time) bool { return !at.IsZero() && !now().Before(at) }

// arm has the exchange woken at the earliest of what there is to do. To be woken too
// early does no harm.
func (x *exchange) arm() {
	l := &x.limits
	if x.over {
		return
	}
	next := l.call
	if !x.headSent {
		next = earlier(next, l.begin)
	}
	next = earlier(next, l.resume)
	if a := x.cur; a != nil {
		next = earlier(earlier(next, a.until), a.holdUntil)
	}
	if !next.IsZero() {
		x.woken = true
		x.peer.alarm.set(x, next)
	}
}

// earlier returns the earlier one of two times of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// fire does what there is to do now.
func (x *exchange) fire() {
	x.mu.Lock()
	defer x.unlock()
	l, a := &x.limits, x.cur
	if x.over {
		return
	}
	x.now = 0
	at := time.Now()
	now := func() time.Time { return at }
	switch {
	case due(l.call, now):
		x.expire(deadlineError{})
	case !x.headSent && due(l.begin, now):
		// A response that is only withheld is better than none.
		if a != nil && a.held != nil {
			a.letGo(nil)
			break
		}
		x.expire(l.cause)
	case a != nil && due(a.until, now):
		a.timedOut()
	case a != nil && due(a.holdUntil, now):
		x.set.counters().timeout.Inc()
		a.letGo(nil)
	case due(l.resume, now):
		l.resume = time.Time{}
		x.next(nil)
	}
	x.arm()
}

// expire ends a request whose time is up, wherever it is.
func (x *exchange) expire(cause error) {
	err := &weft.Error{Stage: weft.StageDeadline, Dst: x.dest.Path(), Err: cause}
	res := weft.Result{Class: weft.Failure, Err: err}
	if a := x.cur; a != nil {
		a.stop(nil, xhttp2.ErrCodeCancel)
		a.finish(res, a.status != "")
		x.cur = nil
	}
	x.loopEnd(nil)
	x.giveUp(nil, res)
}

// deadlineError says that the deadline passed that came with a request.
type deadlineError struct{}

// Error returns the reason.
func (deadlineError) Error() string {
	return "meshh2: the deadline that came with the request has passed"
}

// Timeout reports true, as for net.Error.
func (deadlineError) Timeout() bool { return true }

// Is makes it a timeout to errors.Is, like those of the router and of contexts.
func (deadlineError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == transport.ErrTimeout
}

// loopContext is how the retry loop sees an exchange: a context that never tells of
// its end, because nobody waits for it.
type loopContext exchange

var _ context.Context = (*loopContext)(nil)

// Deadline implements context.Context.
func (c *loopContext) Deadline() (time.Time, bool) {
	return c.limits.begin, !c.limits.begin.IsZero()
}

// Done implements context.Context.
func (*loopContext) Done() <-chan struct{} { return nil }

// Err implements context.Context.
func (c *loopContext) Err() error {
	if due(c.limits.begin, time.Now) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context.
func (*loopContext) Value(any) any { return nil }
