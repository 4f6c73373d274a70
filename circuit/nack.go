package circuit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// NackOptions configures a Nack. The zero value is Finagle's default.
type NackOptions struct {
	// Window is the memory of the accept rate. Zero is 2 min.
	Window time.Duration

	// Threshold is the share of refusals above which requests are dropped, between 0
	// and 1. Zero is 0.5.
	Threshold float64

	// MinPerSecond is the traffic below which refusals do not count. Zero is 5;
	// negative is any traffic.
	MinPerSecond int

	// MaxDrop is the largest share of requests dropped, so that there is always
	// traffic to learn from: above 0, at most 1. Zero is 0.75.
	MaxDrop float64

	// Rand returns uniform numbers in [0,1) and is safe for concurrent use. Nil is
	// the standard library's generator.
	Rand func() float64
}

// Nack drops some of the requests to a cluster that refuses most of them, so that
// it can recover. A refusal (a "nack") is an answer by which the peer says that it
// did not process the request; failures do not count. Use NewNack to make one; it
// is safe for concurrent use.
//
// It is Finagle's nack admission filter. The accept rate starts at 1; samples that
// come at the same moment, or while another is being added, are not counted.
type Nack struct {
	options NackOptions
	epoch   time.Time
	dropped atomic.Int64

	// The accept rate, and the time of its last sample since epoch. Written under
	// mu, but for stamp while the rate is 1.
	mu    sync.Mutex
	rate  atomic.Uint64 // math.Float64bits
	stamp atomic.Int64

	// The requests of the last second, by tenths of it.
	turn sync.Mutex
	tick atomic.Int64
	sent [10]atomic.Int64
}

// NewNack returns a Nack that drops nothing yet.
func NewNack(o NackOptions) (*Nack, error) {
	if o.Window == 0 {
		o.Window = 2 * time.Minute
	}
	if o.Threshold == 0 {
		o.Threshold = 0.5
	}
	if o.MinPerSecond == 0 {
		o.MinPerSecond = 5
	}
	if o.MaxDrop == 0 {
		o.MaxDrop = 0.75
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	switch {
	case o.Window < 0:
		return nil, fmt.Errorf("circuit: nack admission: window %v: must be positive", o.Window)
	case !(o.Threshold > 0 && o.Threshold < 1): // so written that NaN is refused
		return nil, fmt.Errorf("circuit: nack admission: threshold %v: must be between 0 and 1", o.Threshold)
	case !(o.MaxDrop > 0 && o.MaxDrop <= 1):
		return nil, fmt.Errorf("circuit: nack admission: largest drop %v: must be above 0 and at most 1", o.MaxDrop)
	}
	n := &Nack{options: o, epoch: time.Now()}
	n.rate.Store(math.Float64bits(1))
	return n, nil
}

// Admit counts a request and reports whether to send it. A request that is not
// sent must not be retried, here or by the caller, and is not observed.
func (n *Nack) Admit() bool {
	n.count(time.Since(n.epoch))
	p := n.drop(n.AcceptRate())
	if p == 0 || n.options.Rand() >= p {
		return true
	}
	n.dropped.Add(1)
	return false
}

// Observe records the answer to a request that was sent.
func (n *Nack) Observe(nacked bool) {
	now := time.Since(n.epoch)
	sample := 1.0
	if nacked && n.perSecond(now) >= int64(n.options.MinPerSecond) {
		sample = 0
	}
	if sample == n.AcceptRate() {
		n.stamp.Store(int64(now))
		return
	}
	if !n.mu.TryLock() {
		return
	}
	defer n.mu.Unlock()
	gap := int64(now) - n.stamp.Load()
	if gap <= 0 {
		return
	}
	keep := math.Exp(-float64(gap) / float64(n.options.Window))
	n.rate.Store(math.Float64bits(sample*(1-keep) + n.AcceptRate()*keep))
	n.stamp.Store(int64(now))
}

// AcceptRate returns the moving average of the answers that were no refusals.
func (n *Nack) AcceptRate() float64 { return math.Float64frombits(n.rate.Load()) }

// Dropped returns how many requests were not admitted.
func (n *Nack) Dropped() int64 { return n.dropped.Load() }

// drop returns the probability of dropping a request at an accept rate.
func (n *Nack) drop(rate float64) float64 {
	accept := 1 - n.options.Threshold
	if rate >= accept {
		return 0
	}
	return min(n.options.MaxDrop, max(0, 1-rate/accept))
}

func (n *Nack) count(since time.Duration) {
	tick := n.advance(since)
	n.sent[tick%int64(len(n.sent))].Add(1)
}

func (n *Nack) perSecond(since time.Duration) (sum int64) {
	n.advance(since)
	for i := range n.sent {
		sum += n.sent[i].Load()
	}
	return sum
}

// advance empties the tenths that began since the last call. Only the first call
// of each tenth takes the lock.
func (n *Nack) advance(since time.Duration) (tick int64) {
	size := int64(len(n.sent))
	tick = int64(since / (time.Second / time.Duration(size)))
	if tick <= n.tick.Load() {
		return tick
	}
	n.turn.Lock()
	defer n.turn.Unlock()
	last := n.tick.Load()
	for t := max(last, tick-size) + 1; t <= tick; t++ {
		n.sent[t%size].Store(0)
	}
	n.tick.Store(max(last, tick))
	return tick
}
