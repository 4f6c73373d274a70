package transport

import (
	"context"
	"math/rand/v2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Route is one reading of what a name is bound to: branches with their weights.
// It is immutable and safe for concurrent use; a Dest publishes a new one when
// the binding changes.
type Route struct {
	dest     *Dest
	branches []branch
	total    float64 // sum of the branches' weights
	shown    string
}

// branch is one leaf of the bound tree. Nested unions are flattened: the chance
// of a leaf is the product of the shares on the way to it.
type branch struct {
	client   *Client // nil for a branch that exists and has no members
	kept     bool    // the client is in the cache; otherwise this route owns it
	residual dtab.Path
	weight   float64
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
	for i := range t.branches {
		t.total += t.branches[i].weight
	}
	return t
}

func (t *Route) collect(tree dtab.Tree[*naming.Bound], weight float64) {
	switch tree.Op {
	case dtab.Leaf:
		r := t.dest.router
		c, kept := r.clients.get(tree.Value.ID, func() *Client { return r.newClient(tree.Value) })
		t.branches = append(t.branches, branch{
			client: c, kept: kept, residual: tree.Value.Residual, weight: weight,
			pair: c.stats.pairWith(t.dest.path),
		})
	case dtab.Empty:
		t.branches = append(t.branches, branch{weight: weight})
	case dtab.Union:
		var sum float64
		for _, k := range tree.Kids {
			sum += k.Weight
		}
		for _, k := range tree.Kids {
			share := 1 / float64(len(tree.Kids)) // all weights zero: any branch will do
			if sum > 0 {
				share = k.Weight / sum
			}
			t.collect(k, weight*share)
		}
	case dtab.Neg, dtab.Fail, dtab.Alt: // binding leaves none of these below a union
	}
}

// release gives the clients back.
func (t *Route) release() {
	for _, b := range t.branches {
		if b.client == nil {
			continue
		}
		if b.client.slot.refs.Add(-1) == 0 && !b.kept {
			b.client.retire()
		}
	}
}

// unsettled returns the channels to wait for while no branch can take requests
// yet. It is nil as soon as one branch is known, or known to be hopeless.
func (t *Route) unsettled() []<-chan struct{} {
	var waits []<-chan struct{}
	for _, b := range t.branches {
		if b.client == nil {
			return nil
		}
		s, changed := b.client.addrs.Load()
		if s.settled() {
			return nil
		}
		waits = append(waits, changed)
	}
	return waits
}

// Pick is an endpoint chosen for one attempt. Done must be called exactly once.
type Pick struct {
	balancer.Pick
	// Client is the client that the endpoint belongs to.
	Client *Client
	// Residual is what the namer left of the name.
	Residual dtab.Path

	state *endpointState
	token circuit.Token
	pair  *pairStats
}

// Conn returns what ClientOptions.Connect made for the endpoint.
func (p Pick) Conn() any {
	if p.state == nil {
		return nil
	}
	return p.state.conn
}

// Pick chooses a branch by weight and an endpoint of it by load, and counts the
// attempt as begun. It waits only if the client's policy for "every endpoint is
// unhealthy" says so.
//
// A branch whose endpoints are not known yet is passed over, so that a shift to a
// name that is still being resolved fails nobody. A branch that is known to be
// empty fails the request, as in Linkerd: that is what the dtab asked for.
func (t *Route) Pick(ctx context.Context, c weft.Call) (Pick, error) {
	b := t.draw()
	if b == nil || b.client == nil {
		return Pick{}, t.dest.noHosts()
	}
	bp, err := b.client.balancer.Pick(ctx, c)
	if err != nil {
		if s, _ := b.client.addrs.Load(); s.err != nil {
			err = s.err
		} else if errIsEmpty(err) {
			return Pick{}, t.dest.noHosts()
		}
		return Pick{}, &weft.Error{Stage: weft.StagePick, Dst: b.client.id, Unsent: true, Err: err}
	}
	p := Pick{Pick: bp, Client: b.client, Residual: b.residual, pair: b.pair}
	if s, ok := bp.Endpoint.Attachment.(*endpointState); ok {
		p.state = s
		// The breaker learns of the attempt only now that the endpoint is the chosen
		// one: in its probing state exactly one request may be the probe.
		p.token = s.breaker.Begin()
	}
	p.Client.stats.begin()
	p.pair.begin()
	return p, nil
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
	b := t.drawFrom(t.total, func(*branch) bool { return true })
	if b.usable() {
		return b
	}
	var total float64
	for i := range t.branches {
		if t.branches[i].usable() {
			total += t.branches[i].weight
		}
	}
	if again := t.drawFrom(total, (*branch).usable); again != nil {
		return again
	}
	return b
}

// usable reports whether anything is known about the branch's endpoints.
func (b *branch) usable() bool {
	if b.client == nil {
		return true
	}
	s, _ := b.client.addrs.Load()
	return s.settled()
}

func (t *Route) drawFrom(total float64, ok func(*branch) bool) *branch {
	x := rand.Float64() * total
	var last *branch
	for i := range t.branches {
		b := &t.branches[i]
		if !ok(b) || (total > 0 && b.weight <= 0) {
			continue
		}
		last = b
		if x < b.weight {
			return b
		}
		x -= b.weight
	}
	return last // rounding at the very end of the range, or all weights zero
}

// Done reports how the attempt ended.
func (p Pick) Done(r weft.Result) {
	if p.Client == nil {
		return
	}
	if r.Latency == 0 {
		r.Latency = p.Elapsed()
	}
	// The balancer first: it frees the slot that the attempt held.
	p.Pick.Done(r)
	if p.state != nil {
		p.state.breaker.End(p.token, r)
	}
	p.Client.stats.end(r)
	p.pair.end(r)
}
