package transport

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Route is one reading of what a name is bound to: branches with their weights.
// It is immutable and safe for concurrent use; a Dest publishes a new one when
// the binding changes. It may be used for as long as its Dest is held.
type Route struct {
	dest     *Dest
	branches []branch
	shown    string
}

// branch is one leaf of the bound tree. Nested unions are flattened: the chance
// of a leaf is the product of the shares on the way to it.
type branch struct {
	client   *Client // nil for a branch that exists and has no members
	kept     bool    // the client is in the cache; otherwise this route owns it
	residual dtab.Path
	weight   float64 // of 1 in total
	pair     *pairStats
}

// String returns the bound tree in the notation of name trees.
func (t *Route) String() string { return t.shown }

// Clients returns the clients the route may pick, without those of empty
// branches.
func (t *Route) Clients() []*Client {
	var all []*Client
	for _, b := range t.branches {
		if b.client != nil {
			all = append(all, b.client)
		}
	}
	return all
}

// newRoute takes a reference to the client of every leaf of tree.
func (d *Dest) newRoute(tree dtab.Tree[*naming.Bound]) *Route {
	t := &Route{dest: d, shown: dtab.Show(tree, func(b *naming.Bound) string { return b.ID.String() })}
	t.collect(tree, 1)
	d.router.trees.Misses.Add(1)
	return t
}

func (t *Route) collect(tree dtab.Tree[*naming.Bound], weight float64) {
	switch tree.Op {
	case dtab.Leaf:
		c, kept := t.dest.router.client(tree.Value)
		t.dest.router.bounds.Misses.Add(1)
		t.branches = append(t.branches, branch{
			client: c, kept: kept, residual: tree.Value.Residual, weight: weight,
			pair: c.stats.pairWith(t.dest.path),
		})
	case dtab.Union:
		shares := sharesOf(tree.Kids)
		for i, k := range tree.Kids {
			t.collect(k, weight*shares[i])
		}
	case dtab.Empty, dtab.Neg, dtab.Fail, dtab.Alt: // binding leaves only the first of these below a union
		t.branches = append(t.branches, branch{weight: weight})
	}
}

// sharesOf returns the weights of the branches of a union, scaled to a sum of 1.
// If all weights are zero, any branch will do.
func sharesOf(kids []dtab.Tree[*naming.Bound]) []float64 {
	shares := make([]float64, len(kids))
	var greatest, sum float64
	for _, k := range kids {
		greatest = max(greatest, k.Weight)
	}
	for i, k := range kids {
		shares[i] = 1
		if greatest > 0 {
			shares[i] = max(k.Weight, 0) / greatest // first, so that the sum is finite
		}
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}

// release gives the clients back. A warm release keeps them for as long as if they
// had been used just now.
func (t *Route) release(warm bool) {
	t.dest.router.trees.Expires.Add(1)
	for _, b := range t.branches {
		if b.client == nil {
			continue
		}
		t.dest.router.bounds.Expires.Add(1)
		b.client.stats.unpair(t.dest.path)
		if warm {
			t.dest.router.clients.touch(&b.client.slot)
		}
		if b.client.slot.refs.Add(-1) == 0 && !b.kept {
			b.client.retire()
		}
	}
}

// unsettled returns the channels to wait for while no branch can take requests
// yet. It is nil as soon as one branch has endpoints, or all are known to have
// none. Branches without a share do not count.
func (t *Route) unsettled() []<-chan struct{} {
	var waits []<-chan struct{}
	for i := range t.branches {
		b := &t.branches[i]
		if b.client == nil || b.weight <= 0 {
			continue
		}
		switch s, changed := b.client.addrs.Load(); {
		case s.serves():
			return nil
		case !s.settled():
			waits = append(waits, changed)
		}
	}
	return waits
}

// Pick chooses a branch by weight and an endpoint of it by load, and counts the
// attempt as begun. It waits only if the client's policy for "every endpoint is
// unhealthy" says so. The error is a *weft.Error.
//
// A branch whose endpoints are not known yet is passed over, so that a shift to a
// name that is still being resolved fails nobody. A branch that is known to be
// empty fails the request, as in Linkerd: that is what the dtab asked for.
func (t *Route) Pick(ctx context.Context, c weft.Call) (Pick, error) {
	for {
		b := t.draw()
		if b == nil || b.client == nil {
			return Pick{}, t.dest.noHosts()
		}
		bp, err := b.client.balancer.Pick(ctx, c)
		if err == nil {
			return newPick(bp, b), nil
		}
		if !errors.Is(err, balancer.ErrClosed) {
			return Pick{}, t.failure(b, err)
		}
		// Only what no current route leads to is ever let go, so there is a newer route
		// than this one, unless the router was closed.
		next, err := t.dest.Route(ctx)
		if err != nil {
			return Pick{}, err
		}
		if next == t {
			return Pick{}, t.failure(b, ErrClosed)
		}
		t = next
	}
}

// failure explains why a branch had no endpoint to pick.
func (t *Route) failure(b *branch, err error) error {
	if s, _ := b.client.addrs.Load(); s.err != nil {
		err = s.err
	} else if errors.Is(err, balancer.ErrEmpty) {
		return t.dest.noHosts()
	}
	return &weft.Error{Stage: weft.StagePick, Dst: b.client.ID(), Unsent: true, Err: err}
}

// draw returns a branch by weight, among those whose endpoints are known unless
// none is.
func (t *Route) draw() *branch {
	switch len(t.branches) {
	case 0:
		return nil
	case 1:
		return &t.branches[0]
	}
	b := t.drawFrom(1, func(*branch) bool { return true })
	if b.settled() {
		return b
	}
	var total float64
	for i := range t.branches {
		if t.branches[i].settled() {
			total += t.branches[i].weight
		}
	}
	if again := t.drawFrom(total, (*branch).settled); again != nil {
		return again
	}
	return b
}

// settled reports whether anything is known about the branch's endpoints.
func (b *branch) settled() bool {
	if b.client == nil {
		return true
	}
	s, _ := b.client.addrs.Load()
	return s.settled()
}

// drawFrom draws among the branches that are ok and have a share; total is the sum
// of their weights. It returns nil if there are none.
func (t *Route) drawFrom(total float64, ok func(*branch) bool) *branch {
	x := rand.Float64() * total
	var last *branch
	for i := range t.branches {
		b := &t.branches[i]
		if b.weight <= 0 || !ok(b) {
			continue
		}
		if last = b; x < b.weight {
			return b
		}
		x -= b.weight
	}
	return last // rounding at the very end of the range
}
