package signals

import (
	"context"
	"slices"
	"sync"
)

// room is how many signals a goroutine waits for. A select costs some 100 ns for each of
// them whenever one of them fires or joins, and a goroutine a few kilobytes.
const room = 128

// Waiter waits on behalf of functions. The zero Waiter is ready; it must not be copied. It
// is safe for concurrent use.
type Waiter struct {
	mu    sync.Mutex
	open  *shard   // the one that takes what comes; nil: none
	roomy []*shard // others that are half empty at least
	all   sync.WaitGroup

	closed bool
	ending chan struct{} // closed by Close; nil before it is needed
}

// New returns a Waiting of fn that waits for nothing yet.
func (w *Waiter) New(fn func()) *Waiting { return &Waiting{w: w, fn: fn} }

// Wait waits until nothing waits any more, that is, until all functions have returned or
// were stopped. New waits may begin while there is something to wait for, such as in the
// functions, and not otherwise.
func (w *Waiter) Wait() { w.all.Wait() }

// Close stops everything that waits and waits until the functions that have begun have
// returned. Nothing waits any more from then on.
func (w *Waiter) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		if w.ending != nil {
			close(w.ending)
		}
	}
	w.mu.Unlock()
	w.all.Wait()
}

// Waiting calls a function once signals fire. It is safe for concurrent use.
type Waiting struct {
	w  *Waiter
	fn func()

	// Guarded by the Waiter's mutex.
	waits   bool
	stopped bool
	cancel  context.CancelFunc // of the goroutine that waits for it alone; nil: shard does
	shard   *shard
	signals []<-chan struct{}

	gone bool // shard does not wait any more; its goroutine's own
}

// For has the function called, once and in a goroutine of its own, as soon as one of
// signals is closed. Nil channels never fire. The Waiting must not wait already; after
// Stop nothing happens. The slice must not be written to while it waits.
func (x *Waiting) For(signals ...<-chan struct{}) {
	w := x.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if x.stopped || w.closed {
		return
	}
	if w.ending == nil {
		w.ending = make(chan struct{})
	}
	w.all.Add(1)
	x.waits, x.signals, x.gone, x.cancel, x.shard = true, signals, false, nil, nil
	switch {
	case fired(signals):
		go x.call()
	case len(signals) > room: // worth a goroutine of its own
		ctx, cancel := context.WithCancel(context.Background())
		x.cancel = cancel
		w.all.Go(func() {
			defer cancel()
			if Any(ctx, append(slices.Clip(signals), w.ending)) == nil {
				go x.call()
			}
		})
	default:
		w.join(x)
	}
}

// Stop ends the waiting for good: the function is not called any more. It does not wait
// for a call that has begun.
func (x *Waiting) Stop() {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	x.stop()
}

// stop is Stop with the Waiter's mutex held.
func (x *Waiting) stop() {
	x.stopped = true
	if !x.waits {
		return
	}
	x.waits = false
	switch {
	case x.cancel != nil:
		x.cancel()
	case x.shard != nil:
		x.shard.tell(x)
	}
	x.w.all.Done()
}

// call calls the function unless it was stopped, or the Waiter closed.
func (x *Waiting) call() {
	x.w.mu.Lock()
	if x.w.closed {
		x.stop()
	}
	waits := x.waits
	x.waits = false
	x.w.mu.Unlock()
	if waits {
		defer x.w.all.Done()
		x.fn()
	}
}

func fired(signals []<-chan struct{}) bool {
	for _, s := range signals {
		select {
		case <-s:
			return true
		default:
		}
	}
	return false
}

// join has a shard wait that has room. It is called with mu held.
func (w *Waiter) join(x *Waiting) {
	s := w.open
	if s == nil || s.load > 0 && s.load+len(x.signals) > room {
		s = w.next()
	}
	x.shard = s
	s.load += len(x.signals)
	s.tell(x)
}

// next is another shard that takes what comes. It is called with mu held.
func (w *Waiter) next() *shard {
	if n := len(w.roomy); n > 0 {
		w.open = w.roomy[n-1]
		w.roomy = w.roomy[:n-1]
		w.open.roomy = false
		return w.open
	}
	w.open = newShard(w)
	w.all.Go(w.open.run)
	return w.open
}
