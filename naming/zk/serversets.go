package zk

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Serversets is the namer io.l5d.serversets, and /$/com.twitter.serverset. It is
// safe for concurrent use. Close it.
type Serversets struct {
	base
	members  *naming.Shared[place, serverset]
	sets     *naming.Shared[jobAt, weft.EndpointSet]
	searches *naming.Shared[nameAt, bound] // nil if the whole path is the name
}

// place is a znode of an ensemble.
type place struct {
	ensemble sessionKey
	path     string
}

// jobAt is a job of an ensemble.
type jobAt struct {
	ensemble sessionKey
	job
}

// NewServersets returns the namer io.l5d.serversets, by default under
// /#/io.l5d.serversets. It asks nothing before the first Lookup.
func NewServersets(c Config, o Options) (*Serversets, error) {
	b, err := newBase(c, o, "/#/io.l5d.serversets")
	if err != nil {
		return nil, err
	}
	n := newServersets(b)
	n.searches = naming.NewShared(naming.WatchFunc[nameAt, bound](n.search), n.sharing())
	return n, nil
}

// NewServersetClass returns the utility namer /$/com.twitter.serverset, whose names
// begin with the servers, separated by commas: host:port,host:port/zk/path. They have
// no residual. Addrs of the configuration are not used.
func NewServersetClass(c Config, o Options) (*Serversets, error) {
	b, err := newClassBase(c, o, "/$/com.twitter.serverset", ",")
	if err != nil {
		return nil, err
	}
	return newServersets(b), nil
}

func newServersets(b base) *Serversets {
	n := &Serversets{base: b}
	n.members = naming.NewShared(naming.WatchFunc[place, serverset](n.watchMembers), n.sharing())
	n.sets = naming.NewShared(watch(n.faults, jobAt.String, n.watchEndpoints), n.sharing())
	return n
}

// Lookup implements naming.Namer. The longest beginning of the path that has
// endpoints is bound; the rest is residual.
func (n *Serversets) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	ensemble, name, err := n.ensembleOf(p)
	if err != nil {
		return naming.AnswerErr(err)
	}
	skip := p.Len() - name.Len() // the servers are part of the id
	if n.searches == nil {
		j, possible, err := parseJob(name)
		switch {
		case err != nil:
			return naming.AnswerErr(err)
		case !possible:
			return naming.NoSuchName()
		}
		return naming.LeafWhilePresent(ctx, n.prefix.Concat(p), dtab.Path{}, n.observe(jobAt{ensemble, j}))
	}
	return naming.Derive(n.searches.Observe(ctx, nameAt{ensemble, name}), func(s naming.State[bound]) naming.State[dtab.Tree[naming.Name]] {
		return naming.MapState(s, func(b bound) dtab.Tree[naming.Name] {
			if b.elems < 0 {
				return dtab.Tree[naming.Name]{}
			}
			j, _, err := parseJob(name.Take(b.elems))
			if err != nil {
				return dtab.Tree[naming.Name]{} // the search would not have found it
			}
			return dtab.LeafOf(naming.Name{Bound: &naming.Bound{
				ID:       n.prefix.Concat(p.Take(skip + b.elems)),
				Residual: name.Drop(b.elems),
				Addrs:    n.observe(jobAt{ensemble, j}),
			}})
		})
	})
}

func (n *Serversets) observe(j jobAt) func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
	return func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] { return n.sets.Observe(ctx, j) }
}

// Watches implements naming.Reporter: one watch for each name that is in use.
func (n *Serversets) Watches() []naming.WatchStatus { return n.sets.Watches() }

// Close ends the watches and waits for them. What has been handed out stands still.
func (n *Serversets) Close() error {
	if n.searches != nil {
		_ = n.searches.Close() // it has no errors
	}
	_ = n.sets.Close()
	_ = n.members.Close()
	return n.base.close()
}

// search is the naming.Watcher of how much of a name is bound: all of it, or else as
// much as has endpoints.
func (n *Serversets) search(ctx context.Context, key nameAt, set func(naming.State[bound])) error {
	return searchPrefixes(ctx, key.name, set, func(ctx context.Context, p dtab.Path) (weft.Source[naming.State[verdict]], error) {
		j, possible, err := parseJob(p)
		if err != nil || !possible {
			return nil, err
		}
		return naming.Derive(n.sets.Observe(ctx, jobAt{key.ensemble, j}), func(s naming.State[weft.EndpointSet]) naming.State[verdict] {
			return naming.MapState(s, func(set weft.EndpointSet) verdict {
				if set.Neg {
					return shorter
				}
				return this
			})
		}), nil
	})
}
