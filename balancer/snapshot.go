package balancer

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/weft-mesh/weft"
)

// snapshot is what picks read: it is replaced as a whole, except for the counts
// of open endpoints.
type snapshot struct {
	all     []*Endpoint // in the order of discovery, those without a share included
	classes []*class    // by share; none if there is nothing to pick
	table   *alias      // draws a class; nil with one class
	single  *Endpoint   // the only endpoint to pick, if there is one only
	closed  bool
}

// class is the endpoints of one share and the picker among them.
type class struct {
	share     float64
	eps       []*Endpoint
	picker    Picker
	thorough  bool // the picker has looked at every endpoint
	available atomic.Int64
}

// newSnapshot groups the endpoints by share and builds a picker for each group.
// Pickers of classes that existed before are handed over to their successors.
func (b *Balancer) newSnapshot(all []*Endpoint, prev *snapshot) *snapshot {
	s := &snapshot{all: all}
	for _, cl := range b.group(all) {
		s.classes = append(s.classes, b.build(cl, prev))
	}
	switch {
	case len(s.classes) == 1 && len(s.classes[0].eps) == 1:
		s.single = s.classes[0].eps[0]
	case len(s.classes) > 1:
		mass := make([]float64, len(s.classes))
		for i, cl := range s.classes {
			mass[i] = cl.share * float64(len(cl.eps))
		}
		s.table, _ = newAlias(mass) // positive by construction
	}
	s.recount()
	return s
}

// group sorts endpoints into classes without pickers. Endpoints without a share
// are left out, unless all are.
func (b *Balancer) group(all []*Endpoint) []*class {
	w, ok := b.opts.Policy.(WeightAware)
	one := ok && w.HonoursWeights()
	byShare := map[float64]*class{}
	var classes []*class
	for _, e := range all {
		share := e.share()
		if share == 0 {
			continue
		}
		if one {
			share = 1
		}
		cl := byShare[share]
		if cl == nil {
			cl = &class{share: share}
			byShare[share] = cl
			classes = append(classes, cl)
		}
		cl.eps = append(cl.eps, e)
	}
	if len(classes) == 0 && len(all) > 0 {
		return []*class{{share: 1, eps: slices.Clone(all)}}
	}
	slices.SortFunc(classes, func(x, y *class) int { return cmp.Compare(x.share, y.share) })
	return classes
}

func (b *Balancer) build(cl *class, prev *snapshot) *class {
	set := Set{Endpoints: slices.Clone(cl.eps), Rand: b.opts.Rand, Rebuild: b.rebuildSoon}
	for _, old := range prev.classes {
		if old.share == cl.share {
			set.Prev = old.picker
		}
	}
	cl.picker = b.opts.Policy.Build(set)
	if x, ok := cl.picker.(exhaustive); ok {
		cl.thorough = x.exhaustive()
	}
	var o *Observer
	if obs, ok := cl.picker.(Observer); ok {
		o = &obs
	}
	for _, e := range cl.eps {
		e.observer.Store(o)
	}
	return cl
}

// recount brings the counts of open endpoints up to date.
func (s *snapshot) recount() {
	for _, cl := range s.classes {
		var n int64
		for _, e := range cl.eps {
			if e.Status() == weft.Open {
				n++
			}
		}
		cl.available.Store(n)
	}
}

// draw chooses a class: by share, or the next one around that has an open
// endpoint. It reports false when the class drawn first had none.
func (s *snapshot) draw(r Rand) (*class, bool) {
	if s.table == nil {
		return s.classes[0], true
	}
	first := s.table.draw(r)
	for i := range s.classes {
		cl := s.classes[(first+i)%len(s.classes)]
		if cl.available.Load() > 0 {
			return cl, i == 0
		}
	}
	return s.classes[first], false
}

// search returns an open endpoint other than the one to avoid, nil if there is
// none. It is for the rare case that drawing did not find one.
func (s *snapshot) search(avoid string, r Rand) *Endpoint {
	first := 0
	if s.table != nil {
		first = s.table.draw(r)
	}
	for i := range s.classes {
		cl := s.classes[(first+i)%len(s.classes)]
		n := len(cl.eps)
		for j, start := 0, r.IntN(n); j < n; j++ {
			e := cl.eps[(start+j)%n]
			if e.Status() == weft.Open && (avoid == "" || e.addr != avoid) {
				return e
			}
		}
	}
	return nil
}
