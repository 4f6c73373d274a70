package retry

import (
	"sync"
	"sync/atomic"
	"time"
)

// window is a sum of recent amounts. Time is cut into slices of equal length that
// start at the window's epoch; an amount is forgotten as a whole slice.
//
// Adding is lock-free but at the start of a slice. An adder that was delayed
// between reading the clock and adding puts its amount into an older slice, which
// at worst is the one being reused: an error of one amount, once.
type window struct {
	epoch time.Time
	slice time.Duration
	sums  []atomic.Int64
	tick  atomic.Int64 // slices since the epoch, at the last turn
	mu    sync.Mutex   // held to turn and to take
}

func newWindow(length time.Duration, slices int) *window {
	return &window{
		epoch: time.Now(),
		slice: length / time.Duration(slices),
		sums:  make([]atomic.Int64, slices),
	}
}

func (w *window) now() int64 { return int64(time.Since(w.epoch) / w.slice) }

func (w *window) add(n int64) {
	now := w.now()
	if now > w.tick.Load() {
		w.mu.Lock()
		w.turn(now)
		w.mu.Unlock()
	}
	w.sums[now%int64(len(w.sums))].Add(n)
}

func (w *window) sum() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(w.now())
	return w.total()
}

// take subtracts n when at least n would be there with extra added.
func (w *window) take(n, extra int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.turn(now)
	if w.total()+extra < n {
		return false
	}
	w.sums[now%int64(len(w.sums))].Add(-n)
	return true
}

// turn empties the slices that began since the last turn. The caller holds mu.
func (w *window) turn(now int64) {
	size := int64(len(w.sums))
	last := w.tick.Load()
	if now <= last {
		return
	}
	for t := max(last, now-size) + 1; t <= now; t++ {
		w.sums[t%size].Store(0)
	}
	w.tick.Store(now)
}

func (w *window) total() (sum int64) {
	for i := range w.sums {
		sum += w.sums[i].Load()
	}
	return sum
}
