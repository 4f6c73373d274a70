package rancher

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// used is the number of elements of a name that the namer consumes.
const used = 3

// Namer answers for the services of a Rancher environment. It is safe for
// concurrent use. Close it.
type Namer struct {
	cfg     Config
	opts    Options
	client  *client
	lists   *naming.Shared[string, services] // of the one list, by its URL
	skipped atomic.Uint64
}

// New returns a Namer. It asks for nothing before the first Lookup.
func New(c Config, o Options) (*Namer, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	api, err := newClient(c, o)
	if err != nil {
		return nil, err
	}
	n := &Namer{cfg: c, opts: o, client: api}
	n.lists = naming.NewShared(naming.WatchFunc[string, services](n.watch), naming.SharedOptions{Logger: o.Logger})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.cfg.Prefix }

// Watches implements naming.Reporter: the one list that all names share.
func (n *Namer) Watches() []naming.WatchStatus { return n.lists.Watches() }

// Skipped returns how many containers were left out so far because they could not be
// understood, each version of one counted once per watch.
func (n *Namer) Skipped() uint64 { return n.skipped.Load() }

// Close ends the watch and waits for it. What has been handed out stands still.
func (n *Namer) Close() error {
	err := n.lists.Close()
	n.client.close()
	return err
}

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	port, ok := n.cfg.port(p.Elem(0))
	if p.Len() < used || !ok {
		return naming.NoSuchName()
	}
	s := service{stack: strings.ToLower(p.Elem(1)), name: strings.ToLower(p.Elem(2))}
	return naming.LeafWhilePresent(ctx, n.cfg.Prefix.Concat(p.Take(used)), p.Drop(used),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return naming.Derive(n.lists.Observe(ctx, n.client.base), func(l naming.State[services]) naming.State[weft.EndpointSet] {
				return naming.MapState(l, func(all services) weft.EndpointSet { return all.at(s, port) })
			})
		})
}
