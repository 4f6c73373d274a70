package tap

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What a Hub allows.
const (
	MaxWatchers = 16   // at the same time
	MaxRate     = 1000 // events per second of a watcher
	DefaultRate = 10
	queueSize   = 1024 // events that a watcher need not have taken yet
)

// ErrTooMany is returned by Watch while there are MaxWatchers.
var ErrTooMany = fmt.Errorf("tap: there are %d watchers already: wait for one of them to end", MaxWatchers)

// ErrClosed is returned by Watch after Close.
var ErrClosed = errors.New("tap: closed")

// Hub passes requests that have ended to those who watch. The zero Hub has no
// watchers; a nil one never will. It is safe for concurrent use.
type Hub struct {
	watchers atomic.Pointer[[]*Watcher] // nil: none; replaced under mu

	mu     sync.Mutex
	closed bool
}

// Watched reports whether anybody watches. It is one atomic load.
func (h *Hub) Watched() bool { return h != nil && h.watchers.Load() != nil }

// Offer shows a request to all watchers that want it. The event and its fields, which
// may be nil, are the caller's again when it returns. It does not block.
func (h *Hub) Offer(e *Event, fields Fields) {
	if !h.Watched() {
		return
	}
	all := h.watchers.Load()
	if all == nil {
		return // the last one has just left
	}
	var shared *Event
	now := time.Now()
	for _, w := range *all {
		if !w.filter.matches(e, fields) {
			continue
		}
		if !w.due(now) {
			w.dropped.Add(1)
			continue
		}
		if shared == nil {
			shared = copyOf(e, fields)
		}
		w.put(shared)
	}
}

// WatchOptions are what a watcher wants. The zero value wants everything, at the
// default rate.
type WatchOptions struct {
	Filter Filter
	// Rate is how many events per second there are at most, on average; as many may
	// come at once. Zero is DefaultRate, more than MaxRate is MaxRate.
	Rate float64
}

// Watch returns a new watcher, which its owner closes.
func (h *Hub) Watch(o WatchOptions) (*Watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	var all []*Watcher
	if old := h.watchers.Load(); old != nil {
		all = *old
	}
	if len(all) >= MaxWatchers {
		return nil, ErrTooMany
	}
	w := newWatcher(h, o)
	all = append(slices.Clip(all), w)
	h.watchers.Store(&all)
	return w, nil
}

// remove forgets a watcher.
func (h *Hub) remove(w *Watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.watchers.Load()
	if old == nil {
		return
	}
	all := slices.DeleteFunc(slices.Clone(*old), func(x *Watcher) bool { return x == w })
	if len(all) == 0 {
		h.watchers.Store(nil)
		return
	}
	h.watchers.Store(&all)
}

// Close ends all watchers. It is idempotent and returns nil.
func (h *Hub) Close() error {
	h.mu.Lock()
	h.closed = true
	all := h.watchers.Swap(nil)
	h.mu.Unlock()
	if all != nil {
		for _, w := range *all {
			w.end()
		}
	}
	return nil
}
