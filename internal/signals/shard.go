package signals

import (
	"reflect"
	"slices"
)

// shard is a goroutine that waits for the signals of some entries, as long as there are
// any.
type shard struct {
	w    *Waiter
	wake chan struct{} // there is something incoming

	// Guarded by the Waiter's mutex.
	incoming []*entry
	load     int  // signals of all entries, with those that are incoming
	roomy    bool // it is in Waiter.roomy

	// The goroutine's own: what it waits for, and on whose behalf. The first case is wake.
	cases  []reflect.SelectCase
	owners []*entry
}

func newShard(w *Waiter) *shard {
	s := &shard{w: w, wake: make(chan struct{}, 1)}
	s.cases = append(make([]reflect.SelectCase, 0, room+1), receive(s.wake))
	s.owners = append(make([]*entry, 0, room+1), nil)
	return s
}

func (s *shard) run() {
	for {
		i, _, _ := reflect.Select(s.cases)
		if i == 0 {
			s.take()
			continue
		}
		e := s.owners[i]
		s.remove(e)
		go s.w.call(e)
		if s.left(len(e.signals)) {
			return
		}
	}
}

// take begins to wait for what has come in.
func (s *shard) take() {
	s.w.mu.Lock()
	incoming := s.incoming
	s.incoming = nil
	s.w.mu.Unlock()
	for _, e := range incoming {
		for _, c := range e.signals {
			s.cases, s.owners = append(s.cases, receive(c)), append(s.owners, e)
		}
	}
}

// remove ends the waiting for the signals of e.
func (s *shard) remove(e *entry) {
	kept := 1
	for i := 1; i < len(s.cases); i++ {
		if s.owners[i] != e {
			s.cases[kept], s.owners[kept] = s.cases[i], s.owners[i]
			kept++
		}
	}
	clear(s.cases[kept:])
	clear(s.owners[kept:])
	s.cases, s.owners = s.cases[:kept], s.owners[:kept]
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
