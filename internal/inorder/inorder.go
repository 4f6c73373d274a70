// Package inorder makes text in pieces with more than one processor, and hands the pieces
// on in their order.
package inorder

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// most is how many goroutines make pieces. More would take processors away from requests
// for what a single reader cannot take any faster.
const most = 4

// Team is goroutines that make pieces, as many as Len says. Its buffers serve one call of Do
// after the other, its goroutines end with each. It is not safe for concurrent use.
type Team struct {
	workers int
	buffers [][]byte
}

// New returns a Team for the processors that there are now.
func New() *Team { return &Team{workers: min(most, runtime.GOMAXPROCS(0))} }

// Len returns how many goroutines work at once.
func (t *Team) Len() int { return t.workers }

// Do has work append piece i, for each i from 0 to n-1, to an empty buffer, and hands each to
// take, in the order of i, from the calling goroutine. Several goroutines work at once; worker
// numbers them from 0 to Len()-1, for those who keep memory for each. There are at most three
// buffers for a worker, used over and over; take must not keep them. The first error of take
// ends it and is returned.
//
// What it started has ended when it returns. If work panics, so does Do, in the calling
// goroutine, where those who serve it expect it.
func (t *Team) Do(n int, work func(worker, i int, buf []byte) []byte, take func(piece []byte) error) error {
	buffers := 3 * t.workers
	// After an error and a panic some are missing.
	t.buffers = append(t.buffers, make([][]byte, max(0, buffers-len(t.buffers)))...)
	workers := min(t.workers, n)
	if workers <= 1 {
		for i := range n {
			t.buffers[0] = work(0, i, t.buffers[0][:0])
			if err := take(t.buffers[0]); err != nil {
				return err
			}
		}
		return nil
	}
	r := &run{n: n, work: work, free: make(chan []byte, buffers), done: make(chan piece, buffers+workers), spare: make([][]byte, workers)}
	for _, buf := range t.buffers {
		r.free <- buf
	}
	t.buffers = t.buffers[:0]
	for w := range workers {
		r.workers.Go(func() { r.make(w) })
	}
	err := r.all(buffers, take)
	if p := r.panicked.Load(); p != nil {
		panic(*p)
	}
	t.buffers = append(t.buffers, r.spare...)
	for buf := range r.free {
		t.buffers = append(t.buffers, buf)
	}
	return err
}

// piece is one that was made. Number n says that its maker panicked.
type piece struct {
	number int
	text   []byte
}

// run is a call of Do.
type run struct {
	n        int
	work     func(worker, i int, buf []byte) []byte
	next     atomic.Int64
	over     atomic.Bool
	free     chan []byte // buffers
	done     chan piece  // has room for all that there can be
	spare    [][]byte    // buffers that workers have not used, at the end
	workers  sync.WaitGroup
	panicked atomic.Pointer[any]
}

// make makes pieces as long as there are any. A buffer is taken before a number: whoever has
// the lowest number can finish it, so that deliver never waits in vain.
func (r *run) make(worker int) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked.CompareAndSwap(nil, &p)
			r.done <- piece{number: r.n}
		}
	}()
	for buf := range r.free {
		i := int(r.next.Add(1)) - 1
		if i >= r.n || r.over.Load() {
			r.spare[worker] = buf
			return
		}
		r.done <- piece{i, r.work(worker, i, buf[:0])}
		// A piece takes a millisecond, and requests are more urgent.
		runtime.Gosched()
	}
}

// all delivers all pieces and ends the workers, also if take panics.
func (r *run) all(buffers int, take func([]byte) error) error {
	defer func() {
		r.over.Store(true)
		close(r.free)
		r.workers.Wait()
	}()
	return r.deliver(buffers, take)
}

// deliver hands on all pieces. Those that came too early wait at their place: there are no
// more of them than buffers.
func (r *run) deliver(buffers int, take func([]byte) error) error {
	early := make([]*piece, buffers)
	for i := 0; i < r.n; {
		p := early[i%buffers]
		if p == nil {
			came := <-r.done
			if came.number == r.n {
				return nil
			}
			early[came.number%buffers] = &came
			continue
		}
		early[i%buffers] = nil
		i++
		if err := take(p.text); err != nil {
			return err
		}
		r.free <- p.text
	}
	return nil
}
