package soak_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/internal/origin"
)

// op is one operation of a caller.
type op struct {
	kind string
	// retryable: the specification lets the proxy try again until the response begins
	// (GET, whose body is small enough to be sent at once).
	retryable bool
	from, to  time.Time
	err       error
}

// cutError is an error after the response had begun: nobody can retry it.
type cutError struct{ err error }

func (e *cutError) Error() string { return "cut after the response had begun: " + e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

// slack is how long an event may take to be felt, and to be recorded.
const slack = 250 * time.Millisecond

// verdict says which rule allows an operation to fail; none does if it is empty.
// These are the failures that the specification says are not retryable:
//
//   - the upstream died (or ended) with the request, or a part of it, in its hands,
//     and the method is not one that is safe to repeat;
//   - the upstream died when its response had begun to be passed on;
//   - the upstream answered nothing for longer than an attempt may take, and the
//     method is not one that is safe to repeat.
//
// A wrong byte, a body that is cut short without an error and an operation that
// never ends are never allowed, and no failure is while nothing has befallen
// anybody, an upstream leaves discovery, is paused for less than an attempt may
// take, or is down already when the request comes.
func (f *fleet) verdict(o op) (rule string) {
	var cut *cutError
	switch {
	case errors.Is(o.err, origin.ErrWrongBytes), errors.Is(o.err, origin.ErrTruncated), errors.Is(o.err, context.DeadlineExceeded):
		return ""
	case misleading(o.err):
		return ""
	case f.between("kill", o.from.Add(-slack), o.to) > 0 && errors.As(o.err, &cut):
		return "killed while it answered"
	case f.between("kill", o.from.Add(-slack), o.to) > 0 && !o.retryable:
		return "killed with a request that must not be repeated"
	case f.between("term", o.from.Add(-slack), o.to) > 0 && !o.retryable:
		return "ended with a request that must not be repeated"
	case f.longPauses(o.from, o.to.Add(slack)) > 0 && !o.retryable:
		return "no answer in time to a request that must not be repeated"
	}
	return ""
}

// misleading reports whether an error is a gRPC status that says something else than
// that an endpoint was lost or too slow.
func misleading(err error) bool {
	s, ok := status.FromError(err)
	if !ok {
		return false
	}
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Internal:
		return false
	default:
		return true
	}
}

// record is what has happened.
type record struct {
	mu         sync.Mutex
	ok, failed map[string]int
	rules      map[string]int
	pending    []op // failures to be judged at the end
	bytes      int64
}

func newRecord() *record {
	return &record{ok: map[string]int{}, failed: map[string]int{}, rules: map[string]int{}}
}

// one does an operation and records it.
func (r *record) one(j job, rnd *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), opTimeout)
	defer cancel()
	var n atomic.Int64
	from := time.Now()
	err := j.do(ctx, rnd, &n)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("it never ended: %w: %w", ctx.Err(), err)
	}
	r.add(op{j.kind, j.retryable, from, time.Now(), err}, n.Load())
}

func (r *record) add(o op, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes += bytes
	if o.err == nil {
		r.ok[o.kind]++
		return
	}
	r.failed[o.kind]++
	r.pending = append(r.pending, o)
}

// judge returns the failures that nothing allows.
func (r *record) judge(f *fleet) (violations []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.pending {
		if rule := f.verdict(o); rule != "" {
			r.rules[rule]++
			continue
		}
		violations = append(violations, fmt.Sprintf("%s at %v for %v: %v (%s)", o.kind, o.from.Sub(f.begin).Round(time.Millisecond),
			o.to.Sub(o.from).Round(time.Millisecond), o.err, f.around(o)))
	}
	r.pending = nil
	return violations
}

// around lists the events near an operation.
func (f *fleet) around(o op) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var near []string
	for _, e := range f.events {
		if e.from.Before(o.to.Add(time.Second)) && (e.to.IsZero() || e.to.After(o.from.Add(-2*time.Second))) {
			near = append(near, fmt.Sprintf("%s of %s from %v to %v", e.kind, f.hosts[e.upstream],
				e.from.Sub(f.begin).Round(time.Millisecond), e.to.Sub(f.begin).Round(time.Millisecond)))
		}
	}
	if near == nil {
		return "nothing befell anybody"
	}
	return strings.Join(near, ", ")
}

// summary is for people.
func (r *record) summary(f *fleet, took time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	total, failed := 0, 0
	for _, n := range r.ok {
		total += n
	}
	for _, n := range r.failed {
		total, failed = total+n, failed+n
	}
	fmt.Fprintf(&b, "%v: %d operations (%.0f/s), %d MB checked, %d failed\n", took.Round(time.Second), total, float64(total)/took.Seconds(), r.bytes>>20, failed)
	events := map[string]int{}
	f.mu.Lock()
	for _, e := range f.events {
		events[e.kind]++
	}
	f.mu.Unlock()
	fmt.Fprintf(&b, "  upstreams: %v\n", events)
	for _, kind := range slices.Sorted(maps.Keys(r.ok)) {
		fmt.Fprintf(&b, "  %-28s %7d ok %4d failed\n", kind, r.ok[kind], r.failed[kind])
	}
	for _, rule := range slices.Sorted(maps.Keys(r.rules)) {
		fmt.Fprintf(&b, "  allowed: %4d %s\n", r.rules[rule], rule)
	}
	return b.String()
}
