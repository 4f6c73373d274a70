package naming

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/signals"
)

// SharedOptions says how the watches of a Shared live. The zero value is the
// default.
type SharedOptions struct {
	// Linger is how long a watch goes on after its last observer has left, so that
	// a name that comes and goes does not start a watch each time. Zero is 5 s, a
	// negative value none.
	Linger time.Duration

	// MinBackoff and MaxBackoff bound the delay before a watch that ended is
	// started again. The delay doubles from the one to the other, and each is
	// shortened by a random part of up to a half. Zero is 100 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration

	// Local says that the watches look at what is here, such as files: a failure is then
	// the answer, and not that somebody could not be asked. See UnansweredError.
	Local bool

	// Logger is told, at level Warn, of watches that end with an error and, at level
	// Debug, of watches that begin and end. Nil is silent.
	Logger *slog.Logger
}

func (o SharedOptions) withDefaults() SharedOptions {
	switch {
	case o.Linger == 0:
		o.Linger = 5 * time.Second
	case o.Linger < 0:
		o.Linger = 0
	}
	if o.MinBackoff <= 0 {
		o.MinBackoff = 100 * time.Millisecond
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = 10 * time.Second
	}
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Shared runs one watch per key for however many observers. A watch begins with
// the first observer and ends some time after the last one has left; in between
// it is started again whenever it ends, and the last good value outlives its
// failures. It is safe for concurrent use.
type Shared[K comparable, T any] struct {
	w    Watcher[K, T]
	opts SharedOptions

	ctx    context.Context // ends with Close; the parent of every watch
	cancel context.CancelFunc
	wg     sync.WaitGroup // watches, and callbacks of contexts and timers

	waiting signals.Waiter // of watches that are a FollowFunc, for what they have read

	mu      sync.Mutex
	closed  bool
	watches map[K]*watch[K, T]
}

// NewShared returns a Shared whose values come from w. Close it.
func NewShared[K comparable, T any](w Watcher[K, T], o SharedOptions) *Shared[K, T] {
	s := &Shared[K, T]{w: w, opts: o.withDefaults(), watches: map[K]*watch[K, T]{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Observe returns the state of key, kept up to date until ctx ends. It does not
// block. An observer that comes while the watch is running sees at once what is
// known; the first one sees pending until the watch has reported. After Close it
// returns ErrClosed.
//
// The observation costs a registration with ctx, so a ctx that never ends keeps
// the watch running until Close.
func (s *Shared[K, T]) Observe(ctx context.Context, key K) weft.Source[State[T]] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return weft.Const[State[T]]{V: Failed[T](ErrClosed)}
	}
	w := s.watches[key]
	if ctx.Err() != nil {
		// Nobody to keep it up to date for: what is known will do.
		if w == nil {
			return weft.Const[State[T]]{}
		}
		return &w.cur
	}
	if w == nil {
		w = newWatch(s, key)
		s.watches[key] = w
		s.wg.Go(w.run)
	}
	w.join(ctx)
	return &w.cur
}

// Len returns the number of watches that are running or lingering.
func (s *Shared[K, T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watches)
}

// Counts returns the numbers of watches that somebody observes and of those that linger.
func (s *Shared[K, T]) Counts() (active, lingering int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		if w.observers.n > 0 {
			active++
		}
	}
	return active, len(s.watches) - active
}

// Has reports whether the watch of key is running or lingering.
func (s *Shared[K, T]) Has(key K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[key] != nil
}

// Keys returns the keys of the watches that are running or lingering, in no
// particular order.
func (s *Shared[K, T]) Keys() []K {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.watches))
}

// Close ends all watches and waits until they have returned. What the observers
// hold stands still. Close may be called more than once.
func (s *Shared[K, T]) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		for _, w := range s.watches {
			w.disband()
		}
	}
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	s.waiting.Wait()
	return nil
}
