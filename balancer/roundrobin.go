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
	if len(p.eps) == 0 {
		p.eps = s.Endpoints
	}
	if prev, ok := s.Prev.(*rotation); ok {
		p.turn = prev.turn
	} else {
		p.turn = new(atomic.Uint64)
		p.turn.Store(s.Rand.Uint64() >> 1)
	}
	return p
}

// RebuildOnStatus implements StatusAware.
func (RoundRobin) RebuildOnStatus() bool { return true }

type rotation struct {
	eps  []*Endpoint
	turn *atomic.Uint64
}

// Pick implements Picker.
func (p *rotation) Pick(weft.Call, int64) *Endpoint {
	return p.eps[p.turn.Add(1)%uint64(len(p.eps))]
}
