package balancer

import (
	"sync/atomic"

	"github.com/weft-mesh/weft"
)

// RoundRobin takes one open endpoint after the other, or one unhealthy endpoint
// after the other if none is open. It starts at a random place, so that many
// clients do not start with the same endpoint, and goes on from where it was when
// the set changes. The rotation is one shared counter: with many cores, P2C is
// cheaper.
type RoundRobin struct{}

// Build implements Policy.
func (RoundRobin) Build(s Set) Picker {
	p := &rotation{}
	for _, e := range s.Endpoints {
		if e.Status() == weft.Open {
			p.eps = append(p.eps, e)
		}
	}
	if p.down = len(p.eps) == 0; p.down {
		p.eps = s.Endpoints
	}
	if prev, ok := s.Prev.(*rotation); ok {
		p.turn.Store(prev.position(p.eps))
	} else {
		p.turn.Store(uint64(s.Rand.IntN(len(p.eps))))
	}
	return p
}

// RebuildOnStatus implements StatusAware.
func (RoundRobin) RebuildOnStatus() bool { return true }

type rotation struct {
	eps  []*Endpoint
	down bool          // none of them is open
	_    [64]byte      // turn is written by each pick, the rest only read
	turn atomic.Uint64 // that of the last pick
}

// Pick implements Picker.
func (p *rotation) Pick(weft.Call, int64) *Endpoint {
	return p.eps[p.turn.Add(1)%uint64(len(p.eps))]
}

func (p *rotation) exhaustive() bool { return p.down }

// position returns where the last endpoint picked stands in next, or the last
// before it that is there.
func (p *rotation) position(next []*Endpoint) uint64 {
	index := make(map[*Endpoint]int, len(next))
	for i, e := range next {
		index[e] = i
	}
	n := uint64(len(p.eps))
	last := p.turn.Load()%n + n
	for k := range n {
		if i, ok := index[p.eps[(last-k)%n]]; ok {
			return uint64(i)
		}
	}
	return 0
}
