package circuit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

// ErrDown is what FailFast.Err wraps: connecting to the endpoint has failed, and it
// is not being tried by requests.
var ErrDown = errors.New("circuit: endpoint is down: connecting to it fails")

// FailFastOptions configures a FailFast. The zero value marks an endpoint down
// after two failures in a row and up again after a second or so.
type FailFastOptions struct {
	// Threshold is how many attempts to connect must fail in a row. Zero is 2;
	// Finagle's is 1.
	Threshold int

	// Probe tries to connect, and closes what it got. It must end when its context
	// does. Nil is none: the endpoint is taken to be up after the first time.
	Probe func(ctx context.Context) error

	// ProbeTimeout bounds a probe. Zero is 1 s.
	ProbeTimeout time.Duration

	// Backoff gives the times before probes. Nil is 1 s doubling to 32 s with
	// jitter. At its end the endpoint is taken to be up.
	Backoff Backoff

	// OnStatus is told every change of Status but that of Close, in order, if set.
	// It is called with the lock held: it must not block nor call the FailFast.
	OnStatus func(weft.Status)

	// Stats is added to. It may be shared. Nil is the FailFast's own.
	Stats *FailFastStats
}

// FailFastStats counts what FailFasts do. It is safe for concurrent use.
type FailFastStats struct {
	MarkedDead      atomic.Int64 // endpoints marked down
	MarkedAvailable atomic.Int64 // endpoints up again after a successful probe
	Probes          atomic.Int64 // probes made
}

// FailFast keeps requests from connecting to an endpoint that does not accept
// connections, and probes it in the background, so that no request pays for
// finding out. Use NewFailFast to make one; it is safe for concurrent use.
//
// It cannot know whether there is another endpoint to go to: an owner with only
// one live endpoint should not ask it.
type FailFast struct {
	down     atomic.Pointer[down] // nil: up
	failures atomic.Int64         // in a row
	options  FailFastOptions

	mu     sync.Mutex // held for every change
	closed atomic.Bool
	timer  *time.Timer
	next   time.Time          // when the timer fires
	cancel context.CancelFunc // of the running probe
	probes sync.WaitGroup
}

// down is one period of an endpoint that cannot be connected to.
type down struct {
	err   error // what Err returns
	since time.Time
	tries atomic.Int64 // failed probes
	prev  time.Duration
}

const (
	defaultThreshold = 2

	firstDown      = time.Second
	longestDown    = 32 * time.Second
	connectTimeout = time.Second
)

// NewFailFast returns a FailFast whose endpoint is up. The owner calls Close.
func NewFailFast(o FailFastOptions) *FailFast {
	if o.Threshold <= 0 {
		o.Threshold = defaultThreshold
	}
	if o.ProbeTimeout == 0 {
		o.ProbeTimeout = connectTimeout
	}
	if o.Backoff == nil {
		o.Backoff = equalJitter{firstDown, longestDown}
	}
	if o.Stats == nil {
		o.Stats = &FailFastStats{}
	}
	return &FailFast{options: o}
}

// Err returns nil when the endpoint may be connected to, and otherwise an error
// that wraps ErrDown and the last failure. Nothing was sent when it is not nil.
func (f *FailFast) Err() error {
	if d := f.down.Load(); d != nil {
		return d.err
	}
	return nil
}

// Status returns Open, Busy while the endpoint is down, and Closed after Close.
func (f *FailFast) Status() weft.Status {
	switch {
	case f.closed.Load():
		return weft.Closed
	case f.down.Load() != nil:
		return weft.Busy
	default:
		return weft.Open
	}
}

// Unhealthy returns for how long the endpoint has been down and how many probes
// have failed since; zeros when it is up.
func (f *FailFast) Unhealthy() (since time.Duration, probes int) {
	d := f.down.Load()
	if d == nil {
		return 0, 0
	}
	return time.Since(d.since), int(d.tries.Load())
}

// Stats returns the counters that the FailFast adds to.
func (f *FailFast) Stats() *FailFastStats { return f.options.Stats }

// Connected records that an attempt to connect succeeded.
func (f *FailFast) Connected() {
	if f.failures.Load() != 0 {
		f.failures.Store(0)
	}
}

// Failed records that an attempt to connect failed with err. It is called once for
// each attempt, not for each request that waited for it, and not for attempts that
// were given up by their caller.
func (f *FailFast) Failed(err error) {
	if f.failures.Add(1) < int64(f.options.Threshold) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() || f.down.Load() != nil {
		return
	}
	d := &down{err: fmt.Errorf("%w: %w", ErrDown, err), since: time.Now()}
	// Finagle's rule: a backoff that is empty from the start still probes once.
	d.prev = max(f.options.Backoff.Next(1, 0), 0)
	f.options.Stats.MarkedDead.Add(1)
	f.down.Store(d)
	f.arm(d.prev)
	f.tell(weft.Busy)
}

// arm has the next probe made after a time. The caller holds mu.
func (f *FailFast) arm(after time.Duration) {
	f.next = time.Now().Add(after)
	f.timer = time.AfterFunc(after, f.probe)
}

// Close stops the FailFast and waits for a running probe, which it cancels. It is
// idempotent. OnStatus is not called any more after it.
func (f *FailFast) Close() error {
	f.mu.Lock()
	f.closed.Store(true)
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.cancel != nil {
		f.cancel()
	}
	f.mu.Unlock()
	f.probes.Wait()
	return nil
}

// probe runs in the timer's goroutine.
func (f *FailFast) probe() {
	ctx, ok := f.begin()
	if !ok {
		return
	}
	defer f.probes.Done()
	var err error
	if f.options.Probe != nil {
		f.options.Stats.Probes.Add(1)
		err = f.options.Probe(ctx)
	}
	f.end(err)
}

func (f *FailFast) begin() (context.Context, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.options.ProbeTimeout)
	f.cancel = cancel
	f.probes.Add(1)
	return ctx, true
}

func (f *FailFast) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel()
	f.cancel = nil
	if f.closed.Load() {
		return
	}
	d := f.down.Load()
	if err != nil {
		tries := d.tries.Add(1)
		d.prev = f.options.Backoff.Next(int(tries)+1, d.prev)
		if d.prev >= 0 {
			f.arm(d.prev)
			return
		}
	} else if f.options.Probe != nil {
		f.options.Stats.MarkedAvailable.Add(1)
	}
	f.failures.Store(0)
	f.down.Store(nil)
	f.tell(weft.Open)
}

func (f *FailFast) tell(s weft.Status) {
	if f.options.OnStatus != nil {
		f.options.OnStatus(s)
	}
}
