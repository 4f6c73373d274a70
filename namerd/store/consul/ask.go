package consul

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// patient returns the context of a call of a method, which ends with the Store.
func (s *Store) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.opts.Patience, fmt.Errorf("no success within %v", s.opts.Patience))
	ctx, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.ctx, func() { end(naming.ErrClosed) })
	return ctx, func() { stop(); end(nil); cancel() }
}

// once makes a request once.
func (s *Store) once(ctx context.Context, r func(context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	short, cancel := context.WithTimeoutCause(ctx, s.opts.Timeout, fmt.Errorf("no answer within %v", s.opts.Timeout))
	defer cancel()
	err := r(short)
	if err != nil && short.Err() != nil {
		err = context.Cause(short)
	}
	return err
}

// read makes a request that changes nothing until it succeeds, is refused, or ctx ends.
func (s *Store) read(ctx context.Context, r func(context.Context) error) error {
	d := newDelay(s.cfg.Backoff)
	for {
		err := s.once(ctx, r)
		if err == nil || final(err) || s.cfg.FailFast || !d.wait(ctx) {
			return ended(ctx, err)
		}
	}
}

// ended returns the error of what has failed until ctx ended, or which ctx has not
// ended.
func ended(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	if last == nil || cause == nil || errors.Is(last, cause) {
		return last
	}
	return fmt.Errorf("%w: %w", cause, last)
}

// params returns the parameters of a read.
func (c Consistency) params() url.Values {
	p := url.Values{}
	if c == ConsistencyStale || c == ConsistencyConsistent {
		p.Set(string(c), "true")
	}
	return p
}

// single returns the parameters of reads that do not block. The leader may have lost
// its lease without knowing, or not know its own log yet; that must not be seen by who
// has just written.
func (s *Store) single() url.Values {
	if s.cfg.ReadConsistencyMode == ConsistencyStale {
		return ConsistencyStale.params()
	}
	return ConsistencyConsistent.params()
}

// reasonOf returns the error of package namerd for what the agent has refused, or nil.
func reasonOf(err error) error {
	if e, ok := errors.AsType[*statusError](err); ok {
		switch e.status {
		case http.StatusForbidden, http.StatusUnauthorized:
			return namerd.ErrForbidden
		case http.StatusRequestEntityTooLarge:
			return namerd.ErrTooLarge
		}
	}
	return nil
}

// final reports that the agent has refused a request, which had no effect and would be
// refused again.
func final(err error) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && e.status < http.StatusInternalServerError && e.status != http.StatusTooManyRequests && e.status != http.StatusRequestTimeout
}

// failed returns err as the error of what was asked about a namespace, or about none.
func failed(namespace string, err error) error {
	if reason := reasonOf(err); reason != nil {
		return &namerd.Error{Is: reason, Namespace: namespace, Detail: err}
	}
	if namespace == "" {
		return fmt.Errorf("consul: %w", err)
	}
	return fmt.Errorf("consul: namespace %s: %w", namespace, err)
}

// kindOf describes a trouble, without what differs from one time to the next.
func kindOf(err error) string {
	e, ok := errors.AsType[*statusError](err)
	switch {
	case ok && reasonOf(err) != nil:
		return "refuses the token"
	case ok:
		return fmt.Sprintf("answers with status %d", e.status)
	case errors.Is(err, errGarbled):
		return "gives an answer that Consul does not give"
	default:
		return "cannot be reached"
	}
}

// delay is the pause between attempts.
type delay struct {
	next, longest time.Duration
	constant      bool
}

func newDelay(b Backoff) *delay { return &delay{next: b.Min, longest: b.Max, constant: b.Min == b.Max} }

// wait pauses, longer each time, and reports whether ctx lasts.
func (d *delay) wait(ctx context.Context) bool {
	next := d.next
	if !d.constant {
		next -= rand.N(next/2 + 1)
	}
	d.next = min(2*d.next, d.longest)
	return sleep(ctx, next)
}

// sleep waits for d and reports whether ctx lasts.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
