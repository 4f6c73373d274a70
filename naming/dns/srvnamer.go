package dns

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// SRVNamer answers for the targets of SRV records. It is safe for concurrent use.
// Close it.
type SRVNamer struct {
	c    SRVConfig
	ask  *asker
	sets *naming.Shared[string, weft.EndpointSet] // by the owner's name

	stats srvStats
}

// NewSRV returns an SRVNamer. It asks for nothing before the first Lookup. An error
// says what is wrong with the configuration.
func NewSRV(c SRVConfig, o Options) (*SRVNamer, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	ask, err := newAsker(c.Hosts, o)
	if err != nil {
		return nil, err
	}
	n := &SRVNamer{c: c, ask: ask, stats: srvStats{scope: o.Metrics}}
	n.sets = naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](n.watch), naming.SharedOptions{
		Linger: o.Linger, MinBackoff: o.MinBackoff, MaxBackoff: o.MaxBackoff, Logger: o.Logger,
	})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *SRVNamer) Prefix() dtab.Path { return n.c.Prefix }

// Lookup implements naming.Namer.
func (n *SRVNamer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.IsEmpty() {
		return naming.NoSuchName()
	}
	name := p.Elem(0)
	return naming.LeafWhilePresent(ctx, n.c.Prefix.Concat(p.Take(1)), p.Drop(1),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return n.sets.Observe(ctx, name)
		})
}

// Close ends all questions and waits for them. What has been handed out stands
// still.
func (n *SRVNamer) Close() error { return n.sets.Close() }

// Watches implements naming.Reporter: one watch for each name in use.
func (n *SRVNamer) Watches() []naming.WatchStatus { return n.sets.Watches() }
