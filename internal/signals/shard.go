package signals

import (
	"reflect"
	"slices"
)

// shard is a goroutine that waits for the signals of some functions, as long as there are
// any.
type shard struct {
	w    *Waiter
	wake chan struct{} // there is news

	// Guarded by the Waiter's mutex.
	news  []*Waiting // that begin to wait, or have been stopped
	load  int        // signals of all, those in news included
	roomy bool       // it is in Waiter.roomy

	// The goroutine's own: what it waits for, and on whose behalf. The first cases are wake
	// and the ending of the Waiter.
	cases  []reflect.SelectCase
	owners []*Waiting
}

// own is how many cases are nobody's.
const own = 2

func newShard(w *Waiter) *shard {
	s := &shard{w: w, wake: make(chan struct{}, 1)}
	s.cases = append(make([]reflect.SelectCase, 0, room+own), receive(s.wake), receive(w.ending))
	s.owners = append(make([]*Waiting, 0, room+own), nil, nil)
	return s
}

// tell has the goroutine look at x, which begins to wait or has been stopped. It is called
// with the Waiter's mutex held.
func (s *shard) tell(x *Waiting) {
	s.news = append(s.news, x)
	select {
	case s.wake <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}

func (s *shard) run() {
	for empty := false; !empty; {
		i, _, _ := reflect.Select(s.cases)
		switch i {
		case 0:
			empty = s.look()
			continue
		case 1:
			s.end()
			return
		}
		x := s.owners[i]
		n := s.remove(x)
		go x.call()
		empty = s.left(n)
	}
}

// look takes in what has begun to wait and lets go of what was stopped, and reports whether
// nothing is left.
func (s *shard) look() (empty bool) {
	n := 0
	s.w.mu.Lock()
	for _, x := range s.news {
		switch {
		case x.gone || x.shard != s: // its signal was faster than Stop
		case x.waits:
			for _, c := range x.signals {
				s.cases, s.owners = append(s.cases, receive(c)), append(s.owners, x)
			}
		default:
			n += s.remove(x)
		}
	}
	s.news = nil
	s.w.mu.Unlock()
	return s.left(n)
}

// remove ends the waiting on behalf of x, and returns how many signals that were.
func (s *shard) remove(x *Waiting) int {
	kept := own
	for i := own; i < len(s.cases); i++ {
		if s.owners[i] != x {
			s.cases[kept], s.owners[kept] = s.cases[i], s.owners[i]
			kept++
		}
	}
	clear(s.cases[kept:])
	clear(s.owners[kept:])
	s.cases, s.owners = s.cases[:kept], s.owners[:kept]
	x.gone = true
	return len(x.signals)
}

// end stops all that wait.
func (s *shard) end() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, x := range slices.Concat(s.owners[own:], s.news) {
		if !x.gone {
			x.stop()
		}
	}
}

// left gives the room of n signals back, and reports whether nothing is left to wait for:
// then nobody knows the shard any more.
func (s *shard) left(n int) (empty bool) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.load -= n
	if s.load == 0 {
		if s.w.open == s {
			s.w.open = nil
		}
		if i := slices.Index(s.w.roomy, s); i >= 0 {
			s.w.roomy = slices.Delete(s.w.roomy, i, i+1)
		}
		return true
	}
	if s != s.w.open && !s.roomy && s.load <= room/2 {
		s.roomy = true
		s.w.roomy = append(s.w.roomy, s)
	}
	return false
}
