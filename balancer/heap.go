package balancer

import (
	"sync"

	"github.com/weft-mesh/weft"
)

// Heap takes the endpoint with the least outstanding work of all, the one that
// has been idle for the longest time among equals. It is exact, and pays for it
// with a lock and a time that grows with the logarithm of the size.
//
// An endpoint that is new to a busy set does not get all requests until it has
// caught up: it starts out as if it had the mean load, and loses one unit of that
// handicap with each request it completes.
type Heap struct{}

// Build implements Policy.
func (Heap) Build(s Set) Picker {
	p := &heapPicker{index: make(map[*Endpoint]int, len(s.Endpoints))}
	prev, _ := s.Prev.(*heapPicker)
	handicaps, mean := map[*Endpoint]int64{}, int64(0)
	if prev != nil {
		handicaps, mean = prev.handicaps()
	}
	for i, j := range permutation(len(s.Endpoints), s.Rand) {
		e := s.Endpoints[j]
		late, known := handicaps[e]
		if !known {
			late = mean
		}
		p.nodes = append(p.nodes, heapNode{e: e, down: down(e), load: e.Pending(), late: late, turn: uint64(i)})
		p.index[e] = i
	}
	p.turn = uint64(len(p.nodes))
	for i := len(p.nodes)/2 - 1; i >= 0; i-- {
		p.sink(i)
	}
	return p
}

// RebuildOnStatus implements StatusAware.
func (Heap) RebuildOnStatus() bool { return true }

// permutation returns 0…n−1 in random order (Fisher–Yates).
func permutation(n int, r Rand) []int {
	p := make([]int, n)
	for i := range p {
		j := r.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}

func down(e *Endpoint) bool { return e.Status() != weft.Open }

type heapNode struct {
	e    *Endpoint
	down bool
	load int64  // outstanding work, this picker's own choices included
	late int64  // handicap of a new endpoint
	turn uint64 // when it was last idle or chosen
}

func (x *heapNode) before(y *heapNode) bool {
	switch {
	case x.down != y.down:
		return y.down
	case x.load+x.late != y.load+y.late:
		return x.load+x.late < y.load+y.late
	default:
		return x.turn < y.turn
	}
}

// heapPicker is a binary heap with the positions of its endpoints. Done of a
// pick that an older picker made sets the load right.
type heapPicker struct {
	mu    sync.Mutex
	nodes []heapNode
	index map[*Endpoint]int
	turn  uint64
}

func (p *heapPicker) exhaustive() bool { return true }

// Pick implements Picker.
func (p *heapPicker) Pick(c weft.Call, _ int64) *Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := 0
	if c.Avoid != "" && p.nodes[0].e.addr == c.Avoid {
		i = p.second()
	}
	x := &p.nodes[i]
	e := x.e
	x.load++
	x.turn = p.turn
	p.turn++
	p.sink(i)
	return e
}

// second returns the next best after the root, if it is as healthy.
func (p *heapPicker) second() int {
	i := 1
	if len(p.nodes) > 2 && p.nodes[2].before(&p.nodes[1]) {
		i = 2
	}
	if i >= len(p.nodes) || p.nodes[i].down != p.nodes[0].down {
		return 0
	}
	return i
}

// Observe implements Observer.
func (p *heapPicker) Observe(e *Endpoint, _ weft.Result, _ int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.index[e]
	if !ok {
		return
	}
	x := &p.nodes[i]
	x.load = e.Pending()
	x.late = max(x.late-1, 0)
	x.turn = p.turn
	p.turn++
	p.rise(i)
	p.sink(p.index[e])
}

// handicaps returns those of the endpoints, and the mean load.
func (p *heapPicker) handicaps() (late map[*Endpoint]int64, mean int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	late = make(map[*Endpoint]int64, len(p.nodes))
	for i := range p.nodes {
		late[p.nodes[i].e] = p.nodes[i].late
		mean += p.nodes[i].load
	}
	return late, mean / int64(len(p.nodes))
}

func (p *heapPicker) rise(i int) {
	for i > 0 {
		up := (i - 1) / 2
		if !p.nodes[i].before(&p.nodes[up]) {
			return
		}
		p.swap(i, up)
		i = up
	}
}

func (p *heapPicker) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(p.nodes); c++ {
			if p.nodes[c].before(&p.nodes[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		p.swap(i, least)
		i = least
	}
}

func (p *heapPicker) swap(i, j int) {
	p.nodes[i], p.nodes[j] = p.nodes[j], p.nodes[i]
	p.index[p.nodes[i].e], p.index[p.nodes[j].e] = i, j
}
