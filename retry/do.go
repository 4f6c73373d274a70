package retry

import (
	"context"
	"errors"
	"time"

	"github.com/weft-mesh/weft"
)

// Do makes attempts until one has an outcome that p and the attempts' clients do
// not let it repeat, and returns that outcome. A failure is an outcome like any
// other: an endpoint's own error response comes back as Rep, with its Result.
//
// attempt makes the n-th attempt, counting from 0, and returns the Client that it
// was placed on, nil when it got no further than naming. A Rep that is not
// returned is given to discard, which releases what it holds, before the wait for
// the next attempt; a nil discard drops it.
//
// After an outcome the first matching rule decides:
//
//  1. ctx has ended, the outcome is weft.Ignored or its error is
//     context.Canceled: return it.
//  2. Unsent at weft.StageConnect: again at once and without charge, up to
//     Client.ConnectTries times in a row. After these, or when the client is not
//     open, rule 4 decides.
//  3. Unsent at weft.StagePick or a stage after StageConnect: again on the
//     client's budget. When the client is not open, rule 4 decides; when the
//     request's share, the budget or the backoff is spent, the outcome is
//     returned, as weft.Failure if it was weft.Retryable.
//  4. weft.Retryable: again on p.Budget after p.Backoff, or after the Result's
//     RetryAfter if that is longer. The limits of rules 2 and 3 start anew.
//  5. Return it.
//
// Do starts nothing that the context's deadline does not leave time for: it then
// returns the outcome that it has, at once. A token is withdrawn only when
// everything else allows the attempt. When ctx ends before the first attempt, or
// during a wait, Do returns the zero Rep and a *weft.Error with
// weft.StageDeadline and the context's cause, classified weft.Ignored if the
// context was cancelled and weft.Failure if its deadline passed.
func Do[Rep any](
	ctx context.Context,
	p Policy,
	attempt func(ctx context.Context, n int) (Rep, weft.Result, *Client),
	discard func(Rep),
) (Rep, weft.Result) {
	if ctx.Err() != nil {
		var none Rep
		return none, ended(ctx, &p, true)
	}
	if p.Budget != nil {
		p.Budget.Deposit()
	}
	rep, res, client := attempt(ctx, 0)
	var l Loop
	if res.Err == nil && !res.Class.Failed() {
		l.End(&p, client, true)
		return rep, res
	}
	for n := 1; l.Again(ctx, &p, client, &res); n++ {
		if discard != nil {
			discard(rep)
		}
		if !sleep(ctx, l.delay) {
			var none Rep
			l.End(&p, nil, false)
			return none, ended(ctx, &p, false)
		}
		rep, res, client = attempt(ctx, n)
		if res.Err == nil && !res.Class.Failed() {
			l.End(&p, client, true)
			return rep, res
		}
	}
	l.End(&p, nil, false)
	return rep, res
}

// Loop is the retry loop taken apart, for adapters that do not wait in a goroutine
// for each request. It decides as Do does, and is how far one request has got. The
// zero Loop is ready for use; it is not safe for concurrent use.
//
// The order of calls is: Policy.Budget.Deposit and the first attempt; after each
// attempt that failed, Again; after Delay, the next attempt; End when Again says
// no, or after an attempt that did not fail.
type Loop struct {
	delay time.Duration // before the attempt that again allowed

	retries int           // on the service's account
	retried time.Duration // last delay drawn for them

	// Since the last retry:
	client    *Client       // that allowance belongs to
	allowance int           // charged requeues that client allows
	requeues  int           // charged requeues made, on any client
	requeued  time.Duration // last delay drawn for them
	connects  int           // failures to connect in a row
}

// Delay returns how long to wait before the attempt that Again has allowed.
func (l *Loop) Delay() time.Duration { return l.delay }

// End records how many attempts there were. c is the client of the last one if it
// did not fail, which succeeded says; after a failure Again has recorded that.
func (l *Loop) End(p *Policy, c *Client, succeeded bool) {
	if succeeded {
		c.observe(RequeuesPerRequest, l.requeues)
	}
	p.observe(RetriesPerRequest, l.retries)
}

// Again reports whether there is another attempt after the outcome res of an
// attempt that was placed on c, and sets the delay before it. It downgrades res
// when requeues are exhausted.
func (l *Loop) Again(ctx context.Context, p *Policy, c *Client, res *weft.Result) bool {
	if res.Class == weft.Ignored || ctx.Err() != nil || errors.Is(res.Err, context.Canceled) {
		c.observe(RequeuesPerRequest, l.requeues)
		return false
	}
	if stage := unsent(res.Err); c != nil && stage != 0 {
		var decided, yes bool
		if stage == weft.StageConnect {
			decided, yes = l.reconnect(ctx, c)
		} else {
			l.connects = 0
			decided, yes = l.requeue(ctx, c, res)
		}
		if yes {
			return true
		}
		if decided {
			c.observe(RequeuesPerRequest, l.requeues)
			return false
		}
	}
	c.observe(RequeuesPerRequest, l.requeues)
	return res.Class == weft.Retryable && l.retry(ctx, p, res)
}

func (l *Loop) reconnect(ctx context.Context, c *Client) (decided, yes bool) {
	switch {
	case l.connects >= c.connectTries():
		return false, false
	case !c.open():
		c.observe(NotOpen, 1)
		return false, false
	case !inTime(ctx, 0):
		return true, false
	}
	l.connects++
	l.delay = 0
	c.observe(Requeued, 1)
	return true, true
}

func (l *Loop) requeue(ctx context.Context, c *Client, res *weft.Result) (decided, yes bool) {
	if !c.open() {
		c.observe(CannotRetry, 1)
		return false, false
	}
	if l.client != c {
		l.client, l.allowance = c, c.allowance()
	}
	if l.requeues >= l.allowance {
		c.observe(RequestLimit, 1)
		final(res)
		return true, false
	}
	delay := next(c.Backoff, l.requeues+1, l.requeued)
	if delay >= 0 && !inTime(ctx, delay) {
		return true, false
	}
	if delay < 0 || !c.Budget.Withdraw() {
		c.observe(RequeueBudgetExhausted, 1)
		final(res)
		return true, false
	}
	l.requeues++
	l.delay, l.requeued = delay, delay
	c.observe(Requeued, 1)
	return true, true
}

func (l *Loop) retry(ctx context.Context, p *Policy, res *weft.Result) bool {
	if p.Budget == nil {
		return false
	}
	drawn := next(p.Backoff, l.retries+1, l.retried)
	if drawn < 0 {
		p.observe(BackoffExhausted, 1)
		return false
	}
	delay := max(drawn, res.RetryAfter)
	if res.RetryAfter > p.maxRetryAfter() || !inTime(ctx, delay) {
		p.observe(OutOfTime, 1)
		return false
	}
	if !p.Budget.Withdraw() {
		p.observe(RetryBudgetExhausted, 1)
		return false
	}
	*l = Loop{delay: delay, retries: l.retries + 1, retried: drawn}
	p.observe(Retried, 1)
	return true
}

// unsent returns the stage at which err stopped a request that may be requeued,
// and 0 for any other error. What failed before the pick would fail again in the
// same way, and what a deadline stopped has no time left.
func unsent(err error) weft.Stage {
	var e *weft.Error
	if err == nil || !errors.As(err, &e) || !e.Unsent {
		return 0
	}
	switch e.Stage {
	case weft.StageIdentify, weft.StageBind, weft.StageDeadline:
		return 0
	case weft.StagePick, weft.StageConnect, weft.StageSend, weft.StageReceive:
		return e.Stage
	default:
		return weft.StageSend
	}
}

// final marks an outcome that must not be repeated by anybody.
func final(res *weft.Result) {
	if res.Class == weft.Retryable {
		res.Class = weft.Failure
	}
}

// inTime reports whether something that starts after delay starts before the
// deadline of ctx.
func inTime(ctx context.Context, delay time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > delay
}

// sleep waits and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func ended(ctx context.Context, p *Policy, untouched bool) weft.Result {
	class := weft.Ignored
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		class = weft.Failure
	}
	return weft.Result{Class: class, Err: &weft.Error{
		Stage:  weft.StageDeadline,
		Dst:    p.Dst,
		Unsent: untouched,
		Err:    context.Cause(ctx),
	}}
}
