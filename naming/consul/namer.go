package consul

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Namer answers for the services of a Consul catalog. It is safe for concurrent
// use. Close it.
type Namer struct {
	cfg      Config
	opts     Options
	agent    *client
	local    *localAgent
	sets     *naming.Shared[service, weft.EndpointSet]
	canaries *naming.Shared[string, uint64] // by datacenter
	statuses map[HealthStatus]bool          // those that are taken; nil if all are
	weights  map[string]float64             // by tag
	skipped  atomic.Uint64
	stats    *serviceStats
}

// New returns a Namer. It asks for nothing before the first Lookup.
func New(c Config, o Options) (*Namer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.consul")
	}
	o = o.withDefaults(c.TLS != nil)
	agent, err := newClient(c.Agent, o, c.ConsistencyMode != ConsistencyStale)
	if err != nil {
		return nil, err
	}
	n := &Namer{cfg: c, opts: o, agent: agent, local: newLocalAgent(agent), weights: map[string]float64{}, stats: newServiceStats(o.Metrics)}
	for _, w := range c.Weights {
		n.weights[w.Tag] = max(w.Weight, n.weights[w.Tag])
	}
	if c.UseHealthCheck {
		n.statuses = map[HealthStatus]bool{}
		for _, s := range c.HealthStatuses {
			n.statuses[s] = true
		}
		if len(n.statuses) == 0 {
			n.statuses[Passing] = true
		}
	}
	n.sets = naming.NewShared(naming.WatchFunc[service, weft.EndpointSet](n.counted), naming.SharedOptions{Logger: o.Logger})
	n.canaries = naming.NewShared(naming.WatchFunc[string, uint64](n.canary), naming.SharedOptions{Logger: o.Logger})
	return n, nil
}

// Prefix returns the whole prefix of the namer's names.
func (n *Namer) Prefix() dtab.Path { return n.cfg.Prefix }

// Watches implements naming.Reporter.
func (n *Namer) Watches() []naming.WatchStatus { return n.sets.Watches() }

// Skipped returns how many instances were left out so far because they could not
// be understood, each version of an instance counted once per watch.
func (n *Namer) Skipped() uint64 { return n.skipped.Load() }

// Close ends all watches and waits for them. What has been handed out stands still.
func (n *Namer) Close() error {
	defer n.agent.close()
	return errors.Join(n.sets.Close(), n.canaries.Close())
}

// Lookup implements naming.Namer.
func (n *Namer) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	used := 2
	if n.cfg.IncludeTag {
		used = 3
	}
	if p.Len() < used {
		return naming.NoSuchName()
	}
	key := service{dc: p.Elem(0), name: strings.ToLower(p.Elem(used - 1))}
	if n.cfg.IncludeTag {
		key.tag = strings.ToLower(p.Elem(1))
	}
	return naming.LeafWhilePresent(ctx, n.cfg.Prefix.Concat(p.Take(used)), p.Drop(used),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] { return n.observe(ctx, key) })
}

// service is what a watch is about.
type service struct{ dc, tag, name string }

// String is the text of the watch in its status.
func (s service) String() string {
	if s.tag == "" {
		return "/" + s.dc + "/" + s.name
	}
	return "/" + s.dc + "/" + s.tag + "/" + s.name
}
