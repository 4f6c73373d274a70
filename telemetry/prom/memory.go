package prom

import (
	"sync"

	"github.com/weft-mesh/weft/internal/inorder"
)

// Memory is what Write builds its lists and its text in, for thousands of services some
// 20 MB. What is not used for a while is collected as garbage. The zero Memory is ready; it is
// safe for concurrent use.
type Memory struct{ pool sync.Pool }

func (m *Memory) take() *memory {
	if m != nil {
		if x, _ := m.pool.Get().(*memory); x != nil {
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
	for i := range x.slabs {
		x.slabs[i].reset()
	}
	m.pool.Put(x)
}

// memory is that of one Write.
type memory struct {
	team   *inorder.Team
	slabs  []slabs  // of each worker
	buf    []byte   // of what is to be written next
	pieces [][]byte // of a message
}

// slabs are where a worker keeps what it has read.
type slabs struct {
	numbers slab[number]
	stats   slab[stat]
	labels  slab[labels]
	text    slab[byte]
}

func (s *slabs) reset() {
	s.numbers.used, s.stats.used, s.labels.used, s.text.used = 0, 0, 0, 0
	s.numbers.free, s.stats.free, s.labels.free, s.text.free = nil, nil, nil, nil
}

// slab hands out pieces of large slices.
type slab[T any] struct {
	all  [][]T
	used int // of all
	free []T // what is left of the last one used
}

// slabs grow from a half to a few of the largest rooms.
const (
	leastSlab = block / 2
	mostSlab  = 4 * block
)

// room returns an empty slice with room for n elements, which are not zeros.
func (s *slab[T]) room(n int) []T {
	for len(s.free) < n {
		if s.used == len(s.all) {
			s.all = append(s.all, make([]T, max(min(leastSlab<<s.used, mostSlab), n)))
		}
		s.free = s.all[s.used]
		s.used++
	}
	room := s.free[:0:n]
	s.free = s.free[n:]
	return room
}
