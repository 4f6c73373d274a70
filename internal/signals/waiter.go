package signals

import (
	"context"
	"sync"
)

// room is how many signals a goroutine waits for. A select costs some 100 ns for each of
// them whenever one of them fires or joins, and a goroutine a few kilobytes.
const room = 32

// Waiter calls functions once signals fire. The zero Waiter is ready; it must not be
// copied. It is safe for concurrent use.
type Waiter struct {
	mu    sync.Mutex
	open  *shard   // the one that takes what comes; nil: none
	roomy []*shard // others that are half empty at least
	all   sync.WaitGroup
}

// Then calls fn, once and in a goroutine of its own, as soon as one of signals is closed.
// Nil channels never fire, and without a signal that does fn is never called: who may want
// to stop waiting has the Done channel of a context among the signals. The slice must not
// be written to before that.
func (w *Waiter) Then(fn func(), signals ...<-chan struct{}) {
	w.all.Add(1)
	e := &entry{fn: fn, signals: signals}
	switch {
	case fired(signals):
		go w.call(e)
	case len(signals) > room: // worth a goroutine of its own
		go func() {
			_ = Any(context.Background(), signals)
			w.call(e)
		}()
	default:
		w.join(e)
	}
}

// Wait waits until all functions have returned, those whose signals have not fired yet
// included. Then may be called while there is something to wait for, such as by the
// functions, and not otherwise.
func (w *Waiter) Wait() { w.all.Wait() }

// entry is a function that waits.
type entry struct {
	fn      func()
	signals []<-chan struct{}
}

func (w *Waiter) call(e *entry) {
	defer w.all.Done()
	e.fn()
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

// join puts an entry where there is room for it.
func (w *Waiter) join(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.open
	if s == nil || s.load > 0 && s.load+len(e.signals) > room {
		s = w.next()
	}
	s.load += len(e.signals)
	s.incoming = append(s.incoming, e)
	select {
	case s.wake <- struct{}{}:
	default: // it has been told and has not looked yet
	}
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
