package static

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for the names that were set. It is safe for concurrent use, has
// no goroutines and needs no closing.
type Namer struct {
	prefix dtab.Path

	mu    sync.Mutex // orders the changes
	names weft.Var[map[dtab.Path]bool]

	// sets outlive the removal of their names, so that whoever observes the
	// endpoints of a name sees it come back.
	sets sync.Map // dtab.Path to *weft.Var[naming.State[weft.EndpointSet]]
}

// New returns a Namer with the names of c.
func New(c Config) (*Namer, error) {
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/static")
	}
	n := &Namer{prefix: c.Prefix}
	for name, addrs := range c.Names {
		if err := n.Set(name, addrs...); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.prefix }

// Set makes addrs the endpoints of name. Each is host:port or, with a share of
// the traffic other than 1, "host:port * weight". A host should be an IP address,
// as nothing resolves it. Without addrs the name exists and has no endpoints. The
// slash at the beginning of name may be left out.
func (n *Namer) Set(name string, addrs ...string) error {
	set, err := parseAddrs(addrs)
	if err != nil {
		return err
	}
	return n.SetState(name, naming.Ok(set))
}

// SetState makes s the state of the endpoints of name: Set for endpoints with
// metadata, and for tests of what is pending, stale or failed.
func (n *Namer) SetState(name string, s naming.State[weft.EndpointSet]) error {
	p, err := parseName(name)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.endpoints(p).Store(s)
	if names, _ := n.names.Load(); !names[p] {
		names = maps.Clone(names)
		if names == nil {
			names = map[dtab.Path]bool{}
		}
		names[p] = true
		n.names.Store(names)
	}
	return nil
}

// Remove makes name unknown. Removing a name that is unknown does nothing.
func (n *Namer) Remove(name string) error {
	p, err := parseName(name)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	names, _ := n.names.Load()
	if !names[p] {
		return nil
	}
	names = maps.Clone(names)
	delete(names, p)
	n.names.Store(names)
	n.endpoints(p).Store(naming.Ok(weft.EndpointSet{Neg: true}))
	return nil
}

// Names returns the ids of all names, sorted.
func (n *Namer) Names() []dtab.Path {
	names, _ := n.names.Load()
	ids := make([]dtab.Path, 0, len(names))
	for p := range names {
		ids = append(ids, n.prefix.Concat(p))
	}
	slices.SortFunc(ids, func(a, b dtab.Path) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// Lookup implements naming.Namer.
func (n *Namer) Lookup(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	return naming.Derive(&n.names, func(names map[dtab.Path]bool) naming.State[dtab.Tree[naming.Name]] {
		for size := p.Len(); size > 0; size-- {
			if name := p.Take(size); names[name] {
				id := n.prefix.Concat(name)
				return naming.Ok(dtab.LeafOf(naming.Following(id, p.Drop(size), n.endpoints(name))))
			}
		}
		return naming.Ok(dtab.Tree[naming.Name]{})
	})
}

// endpoints returns the endpoints of a name.
func (n *Namer) endpoints(name dtab.Path) *weft.Var[naming.State[weft.EndpointSet]] {
	v, ok := n.sets.Load(name)
	if !ok {
		v, _ = n.sets.LoadOrStore(name, &weft.Var[naming.State[weft.EndpointSet]]{})
	}
	return v.(*weft.Var[naming.State[weft.EndpointSet]])
}
