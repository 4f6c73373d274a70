package balancer

import (
	"sync"
	"sync/atomic"
)

// band decides how many endpoints an aperture needs: as many as keep the
// outstanding requests per endpoint between low and high.
//
// Finagle updates the average on each acquire and release, through one counter
// that all cores share. Here it is sampled from the endpoints' own counters, 128
// times per window, by the pick that is there when it is due.
type band struct {
	low, high float64
	least     int
	period    int64
	next      atomic.Int64
	size      atomic.Int64

	mu                sync.Mutex
	load              ema
	widened, narrowed uint64
}

func newBand(p Aperture) *band {
	b := &band{low: p.LowLoad, high: p.HighLoad, least: p.MinAperture, period: max(int64(p.SmoothWindow)/128, 1)}
	b.load.window = float64(p.SmoothWindow)
	b.size.Store(int64(p.MinAperture))
	return b
}

// width is the current size for a set of n: what was reached is not forgotten
// when the set shrinks for a moment.
func (b *band) width(n int) int {
	return min(max(int(b.size.Load()), b.least), n)
}

// tick takes a sample if one is due.
func (b *band) tick(now int64, eps []*Endpoint) {
	due := b.next.Load()
	if now < due || !b.next.CompareAndSwap(due, now+b.period) {
		return
	}
	// Half a request: the load is sampled at arrivals, halfway between what the new
	// request found and what it leaves.
	total := 0.5
	for _, e := range eps {
		total += float64(e.Pending())
	}
	b.update(now, total, len(eps))
}

// update adds a sample and adapts the size. A step down is taken only if it would
// not call for a step up.
func (b *band) update(now int64, total float64, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	avg := b.load.update(now, total)
	size := b.width(n)
	least := min(b.least, n)
	for ; size < n && avg/float64(size) >= b.high; size++ {
		b.widened++
	}
	for ; size > least && avg/float64(size) <= b.low && avg/float64(size-1) < b.high; size-- {
		b.narrowed++
	}
	b.size.Store(int64(size))
}

func (b *band) stats(st *ApertureStats) {
	b.mu.Lock()
	defer b.mu.Unlock()
	st.OfferedLoad, st.Widened, st.Narrowed = b.load.value, b.widened, b.narrowed
}
