package consul

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// retry is the pause of one watch after failures: it doubles, and it ends early
// when an agent that was down is back.
type retry struct {
	c        *client
	min, max time.Duration
	next     time.Duration
	kind     string // of the present failure; see troubles
}

// The longest pause is such that all watches that fail ask the agent a hundred
// times a second at the most, but no longer than the last of these.
const (
	firstPause   = 50 * time.Millisecond
	longestFew   = 1500 * time.Millisecond
	longestMany  = 10 * time.Second
	perFailing   = 10 * time.Millisecond
	spreadOfBack = 200 * time.Millisecond // over which watches ask when the agent is back
)

func newRetry(c *client, minimum, maximum time.Duration) *retry {
	return &retry{c: c, min: minimum, max: maximum}
}

// over notes that it went well.
func (r *retry) over() {
	r.kind = r.c.troubles.change(r.kind, nil)
	r.next = 0
}

// note notes err, without a pause.
func (r *retry) note(err error) { r.kind = r.c.troubles.change(r.kind, err) }

// wait notes err and pauses, until ctx ends at the most.
func (r *retry) wait(ctx context.Context, err error) {
	down, back := r.c.pulse.state()
	r.note(err)
	s, refused := errors.AsType[*StatusError](err)
	if kindOf(err) == connection || refused && s.Status >= http.StatusInternalServerError {
		r.c.pulse.suspect()
	}
	r.next = min(max(2*r.next, r.first()), r.longest())
	t := time.NewTimer(r.next - rand.N(r.next/2+1))
	defer t.Stop()
	timeout := t.C
	if down && r.c.agent.FailFast {
		timeout = nil
	}
	select {
	case <-timeout:
	case <-back:
		r.next = 0
		sleep(ctx, rand.N(spreadOfBack))
	case <-ctx.Done():
	}
}

// rest waits for d, until ctx ends or until an agent that was down is back.
func (r *retry) rest(ctx context.Context, d time.Duration) {
	_, back := r.c.pulse.state()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-back:
	case <-ctx.Done():
	}
}

func (r *retry) first() time.Duration {
	if r.min > 0 {
		return r.min
	}
	return firstPause
}

func (r *retry) longest() time.Duration {
	if r.max > 0 {
		return r.max
	}
	return min(max(longestFew, time.Duration(r.c.troubles.count())*perFailing), longestMany)
}
