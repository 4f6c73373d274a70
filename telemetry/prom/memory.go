package prom

import (
	"sync"
	"time"

	"github.com/weft-mesh/weft/internal/inorder"
)

// Memory is what Write builds its lists and its text in, for thousands of services some
// 20 MB. It is kept for a few minutes after the last use, and is that of one Write: others at
// the same time have their own. The zero Memory is ready; it is safe for concurrent use.
type Memory struct {
	mu   sync.Mutex
	kept *memory     // nil while it is used
	drop *time.Timer // forgets what is kept
}

// keep is how long memory is kept: a scrape that makes its own costs a collection of garbage.
const keep = 5 * time.Minute

func (m *Memory) take() *memory {
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if x := m.kept; x != nil {
			m.kept = nil
			return x
		}
	}
	team := inorder.New()
	return &memory{team: team, slabs: make([]slabs, team.Len())}
}

func (m *Memory) give(x *memory) {
	if m == nil {
		return
	}
	x.numbers.used, x.stats.used, x.labels.used, x.text.used = 0, 0, 0, 0
	clear(x.slabs)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = x
	if m.drop == nil {
		m.drop = time.AfterFunc(keep, m.forget)
	} else {
		m.drop.Reset(keep)
	}
}

func (m *Memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = nil
}

// memory is that of one Write.
type memory struct {
	team   *inorder.Team
	slabs  []slabs  // of each worker
	buf    []byte   // of what is to be written next
	pieces [][]byte // of a message

	numbers store[number]
	stats   store[stat]
	labels  store[labels]
	text    store[byte]
}

// slabs are where a worker keeps what it has read.
type slabs struct {
	numbers slab[number]
	stats   slab[stat]
	labels  slab[labels]
	text    slab[byte]
}

// worker returns the slabs of a worker.
func (m *memory) worker(i int) *slabs {
	s := &m.slabs[i]
	s.numbers.of, s.stats.of, s.labels.of, s.text.of = &m.numbers, &m.stats, &m.labels, &m.text
	return s
}

// store has slices for all workers: which of them reads how much is never the same.
type store[T any] struct {
	mu   sync.Mutex
	all  [][]T
	used int // of all
}

// Slices grow from a half to a few of the largest rooms.
const (
	leastSlab = block / 2
	mostSlab  = 4 * block
)

// next returns a slice that nobody uses, with n elements at least, which are not zeros.
func (s *store[T]) next(n int) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.used < len(s.all); s.used++ {
		if x := s.all[s.used]; len(x) >= n {
			s.used++
			return x
		}
	}
	x := make([]T, max(min(leastSlab<<min(s.used, 10), mostSlab), n))
	s.all = append(s.all, x)
	s.used++
	return x
}

// slab hands out pieces of slices.
type slab[T any] struct {
	of   *store[T]
	free []T
}

// room returns an empty slice with room for n elements.
func (s *slab[T]) room(n int) []T {
	if len(s.free) < n {
		s.free = s.of.next(n)
	}
	room := s.free[:0:n]
	s.free = s.free[n:]
	return room
}
