package circuit

import (
	"fmt"
	"sync"
)

// Group keeps its breakers from taking out more than a share of a cluster at once:
// when most endpoints fail, the fault is more likely in what they have in common
// than in each of them. The breakers that have it in their Options count as the
// cluster until they are closed. It is safe for concurrent use.
type Group struct {
	share float64

	mu   sync.Mutex
	size int // breakers
	out  int // of these, not Alive
}

// NewGroup returns a Group of which at most share, from 0 to 1, rounded down, may
// be out at once.
func NewGroup(share float64) (*Group, error) {
	if !(share >= 0 && share <= 1) { // so written that NaN is refused
		return nil, fmt.Errorf("circuit: group: share %v: must be from 0 to 1", share)
	}
	return &Group{share: share}, nil
}

// Out returns how many endpoints are out, or on probation, and of how many.
func (g *Group) Out() (out, size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out, g.size
}

func (g *Group) join() { g.change(1, 0) }
func (g *Group) part() { g.change(-1, 0) }

// enter takes one endpoint out, if there is room.
func (g *Group) enter() bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// A little more, so that 0.29·100 is 29.
	if float64(g.out+1) > g.share*float64(g.size)+1e-9 {
		return false
	}
	g.out++
	return true
}

func (g *Group) leave() { g.change(0, -1) }

func (g *Group) change(size, out int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.size += size
	g.out += out
}
