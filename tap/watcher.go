package tap

import (
	"sync"
	"sync/atomic"
	"time"
)

// Watcher gets the requests that one who watches wants. Close it after use.
type Watcher struct {
	hub    *Hub
	filter Filter

	// The rate is kept by the time at which the next event is due if all come evenly
	// (GCRA), which may be ahead of now by burst.
	epoch           time.Time
	interval, burst int64 // ns
	next            atomic.Int64

	queue   chan *Event
	dropped atomic.Uint64
	ended   chan struct{}
	once    sync.Once
}

func newWatcher(h *Hub, o WatchOptions) *Watcher {
	rate := o.Rate
	if rate <= 0 {
		rate = DefaultRate
	}
	rate = min(rate, MaxRate)
	w := &Watcher{
		hub: h, filter: o.Filter, epoch: time.Now(), interval: int64(float64(time.Second) / rate),
		queue: make(chan *Event, queueSize), ended: make(chan struct{}),
	}
	w.burst = max(int64(time.Second)-w.interval, 0)
	return w
}

// due takes an event into account if the rate allows it.
func (w *Watcher) due(now time.Time) bool {
	at := int64(now.Sub(w.epoch))
	for {
		next := w.next.Load()
		if next > at+w.burst {
			return false
		}
		if w.next.CompareAndSwap(next, max(next, at)+w.interval) {
			return true
		}
	}
}

func (w *Watcher) put(e *Event) {
	select {
	case w.queue <- e:
	default:
		w.dropped.Add(1)
	}
}

// Events returns where the requests come. They are shared with other watchers and must
// not be written to. The channel is never closed; see Ended.
func (w *Watcher) Events() <-chan *Event { return w.queue }

// Dropped returns how many requests the watcher wanted and did not get since the last
// call, because of its rate or because it was too slow.
func (w *Watcher) Dropped() uint64 { return w.dropped.Swap(0) }

// Ended is closed when no more requests come.
func (w *Watcher) Ended() <-chan struct{} { return w.ended }

// Close ends the watcher. It is idempotent and returns nil.
func (w *Watcher) Close() error {
	w.hub.remove(w)
	w.end()
	return nil
}

func (w *Watcher) end() { w.once.Do(func() { close(w.ended) }) }
