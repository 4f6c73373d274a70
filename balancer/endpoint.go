package balancer

import (
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft"
)

// The two top states of Endpoint.work, kept in the same word as the count of
// outstanding picks so that removal and a concurrent pick cannot miss each other.
const (
	goneBit     = int64(1) << 62 // left the set; detached when its work has ended
	detachedBit = int64(1) << 61 // handed back to the owner; must not be used again
	workMask    = detachedBit - 1
)

// Endpoint is the handle of one address in one Balancer. Two picks of the same
// address get the same handle for as long as the address stays in the set, or
// has outstanding work. All methods are safe for concurrent use.
//
// What every pick touches fills the first cache line and the rest starts on the
// next, so that comparing two candidates costs two cache misses and not four.
type Endpoint struct {
	work     atomic.Int64  // outstanding picks, plus the bits above
	estimate atomic.Uint64 // an estimate
	lastPick atomic.Int64
	status   atomic.Uint32
	_        [36]byte

	addr     string
	owner    *Balancer
	info     atomic.Pointer[weft.Endpoint]
	observer atomic.Pointer[Observer]
	token    uint64 // random order of the aperture, different in every process
	// leaving marks an endpoint on probation; written under owner.mu.
	leaving atomic.Bool

	// Attachment is what Options.Attach returned when the handle was made: the
	// owner's breaker, connections and metrics. The balancer never looks at it.
	Attachment any

	_ [56]byte // a multiple of the cache line, so that handles start on one
}

// Info returns what discovery last said about the endpoint. The Addr in it never
// changes, the rest may.
func (e *Endpoint) Info() weft.Endpoint { return *e.info.Load() }

// Addr returns the address, which identifies the endpoint.
func (e *Endpoint) Addr() string { return e.addr }

// Status returns the status that the owner gave the endpoint, Open to begin with.
func (e *Endpoint) Status() weft.Status { return weft.Status(e.status.Load()) }

// SetStatus tells the balancer whether the endpoint takes requests. It is meant
// for the breaker above, and may be called from anywhere, including
// Options.Attach. A change costs time linear in the size of the set when the
// policy arranges endpoints by status, and wakes picks that wait for a healthy
// endpoint.
func (e *Endpoint) SetStatus(s weft.Status) {
	if old := weft.Status(e.status.Swap(uint32(s))); old != s {
		e.owner.statusChanged()
	}
}

// Pending returns the number of picks that are not done yet.
func (e *Endpoint) Pending() int64 {
	w := e.work.Load()
	if w&detachedBit != 0 {
		return 0 // what is counted are attempts of acquire, which fail
	}
	return w & workMask
}

// Cost returns the endpoint's latency estimate as of its last observation, 0
// when the policy keeps none or nothing has been observed. For metrics.
func (e *Endpoint) Cost() time.Duration {
	return time.Duration(estimate(e.estimate.Load()).ns())
}

// acquire counts a pick. It reports false when the handle is detached already,
// which the picker of an older set cannot know.
func (e *Endpoint) acquire(now int64) bool {
	if e.work.Add(1)&detachedBit != 0 {
		e.work.Add(-1)
		return false
	}
	e.lastPick.Store(now)
	return true
}

// release ends a pick.
func (e *Endpoint) release() {
	if e.work.Add(-1) == goneBit {
		e.tryDetach()
	}
}

// revive takes a retired endpoint back. It reports false when it is too late.
func (e *Endpoint) revive() bool {
	for {
		w := e.work.Load()
		if w&detachedBit != 0 {
			return false
		}
		if e.work.CompareAndSwap(w, w&^goneBit) {
			return true
		}
	}
}

// tryDetach hands the endpoint back if it is still gone and without work: the
// one CAS that succeeds decides between a pick, a revival and this.
func (e *Endpoint) tryDetach() {
	if e.work.CompareAndSwap(goneBit, goneBit|detachedBit) {
		e.owner.detached(e)
	}
}
