package balancer

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

// Errors of Balancer.Pick.
var (
	// ErrEmpty means that the set has no endpoints.
	ErrEmpty = errors.New("balancer: no endpoints: the set is empty")
	// ErrUnhealthy means that there are endpoints but none takes requests.
	ErrUnhealthy = errors.New("balancer: no healthy endpoint")
	// ErrClosed means that the balancer was closed.
	ErrClosed = errors.New("balancer: closed")
)

// Balancer spreads requests over the endpoints of one set. It has no goroutines.
// All methods are safe for concurrent use; Pick and Pick.Done take no lock
// unless the policy does.
type Balancer struct {
	opts  Options
	epoch time.Time
	clock func() int64 // replaces the time since epoch in simulations

	snap atomic.Pointer[snapshot]

	// mu guards the structure: the maps, probation flags and replacing snap.
	// Whoever held it calls settle afterwards.
	mu       sync.Mutex
	known    map[string]*Endpoint
	leaving  int // endpoints on probation
	closed   bool
	drainMu  sync.Mutex // below mu; Done needs it without mu
	draining map[string]*Endpoint

	// wanted counts the requests for another look at statuses (low part) and
	// done how many of them the current snapshot has seen.
	wanted atomic.Uint64
	done   atomic.Uint64
	force  atomic.Bool // a picker asked to be rebuilt

	changed weft.Var[struct{}] // stale when a waiting pick should look again

	counters counters
}

// New returns a Balancer with no endpoints.
func New(opts Options) *Balancer {
	b := &Balancer{
		opts:     opts.withDefaults(),
		epoch:    time.Now(),
		known:    map[string]*Endpoint{},
		draining: map[string]*Endpoint{},
	}
	b.snap.Store(&snapshot{})
	return b
}

// now is the monotonic time since the balancer was made, in nanoseconds.
func (b *Balancer) now() int64 {
	if b.clock != nil {
		return b.clock()
	}
	return int64(time.Since(b.epoch))
}

// Endpoints returns the current handles in the order of the last set that
// changed them. The slice is the caller's.
func (b *Balancer) Endpoints() []*Endpoint { return slices.Clone(b.snap.Load().all) }

// Status returns the best status of the endpoints, Closed if there are none.
func (b *Balancer) Status() weft.Status {
	best := weft.Closed
	for _, e := range b.snap.Load().all {
		if s := e.Status(); s > best {
			if best = s; s == weft.Open {
				break
			}
		}
	}
	return best
}

// Idle returns the endpoints that have no outstanding work and have not been
// picked for at least the given time, each once per such period. An owner of
// connections calls it now and then and closes those of the endpoints returned:
// with Aperture, that is what gives up connections outside the window.
func (b *Balancer) Idle(after time.Duration) []*Endpoint {
	var idle []*Endpoint
	deadline := b.now() - int64(after)
	for _, e := range b.snap.Load().all {
		last := e.lastPick.Load()
		if last <= deadline && last != reportedIdle && e.Pending() == 0 &&
			e.lastPick.CompareAndSwap(last, reportedIdle) {
			idle = append(idle, e)
		}
	}
	b.counters.expired.Add(uint64(len(idle)))
	return idle
}

// reportedIdle is the lastPick of an endpoint that Idle has returned.
const reportedIdle = int64(-1 << 63)

// Close removes all endpoints and fails picks with ErrClosed, those that wait
// included. Picks that are not done keep their endpoints until they are.
// Closing twice is fine.
func (b *Balancer) Close() {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.closed = true
	gone := b.snap.Load().all
	b.snap.Store(&snapshot{closed: true})
	b.known = map[string]*Endpoint{}
	b.counters.removes.Add(uint64(len(gone)))
	b.dismiss(gone)
	b.mu.Unlock()
	b.retire(gone)
	b.changed.Store(struct{}{})
}
