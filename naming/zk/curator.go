package zk

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Curator is the namer io.l5d.curator: the first element of a name is a service of
// Curator's service discovery. A service that nobody has registered is one without
// endpoints. Meta of its sets has "ssl", which is "true" while one of the endpoints
// has a port for TLS. It is safe for concurrent use. Close it.
type Curator struct {
	base
	path     string // of the services
	services *naming.Shared[string, service]
	sets     *naming.Shared[string, weft.EndpointSet]
}

// service is the instances of a service, by their ids.
type service struct{ instances []instance }

// NewCurator returns the namer io.l5d.curator, by default under /#/io.l5d.curator. It
// asks nothing before the first Lookup.
func NewCurator(c CuratorConfig, o Options) (*Curator, error) {
	path, err := basePath(c.BasePath)
	if err != nil {
		return nil, err
	}
	b, err := newBase(c.Config, o, "/#/io.l5d.curator")
	if err != nil {
		return nil, err
	}
	n := &Curator{base: b, path: path}
	n.services = naming.NewShared(naming.WatchFunc[string, service](n.watchService), n.sharing())
	n.sets = naming.NewShared(watch(n.faults, strings.Clone, n.watchEndpoints), n.sharing())
	return n, nil
}

// Lookup implements naming.Namer.
func (n *Curator) Lookup(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	name := p.Elem(0)
	if _, possible := znode([]string{name}); p.IsEmpty() || !possible {
		return naming.NoSuchName()
	}
	return naming.LeafWhilePresent(ctx, n.prefix.Concat(p.Take(1)), p.Drop(1),
		func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			return n.sets.Observe(ctx, name)
		})
}

// Watches implements naming.Reporter: one watch for each service that is in use.
func (n *Curator) Watches() []naming.WatchStatus { return n.sets.Watches() }

// Close ends the watches and waits for them. What has been handed out stands still.
func (n *Curator) Close() error {
	_ = n.sets.Close() // they have no errors
	_ = n.services.Close()
	return n.base.close()
}

// watchService is the naming.Watcher of the instances of a service.
func (n *Curator) watchService(ctx context.Context, name string, set func(naming.State[service])) error {
	d := directory[instance]{path: below(n.path, name), wanted: slices.Clone[[]string], parse: parseInstance}
	return follow(ctx, &n.base, n.ensemble, d, func(l listing[instance], version string) {
		var s service
		for _, e := range l.entries {
			s.instances = append(s.instances, e.value)
		}
		set(naming.Ok(s).At(version))
	}, func(err error) { set(naming.Failed[service](err)) })
}

// watchEndpoints is the naming.Watcher of the endpoints of a service.
func (n *Curator) watchEndpoints(ctx context.Context, name string, set func(naming.State[weft.EndpointSet])) error {
	r := resolution[service]{src: n.services.Observe(ctx, name), choose: service.choose, resolve: n.opts.Resolve}
	return r.follow(ctx, set)
}

// choose returns the addresses of the instances that are enabled.
func (s service) choose() choice {
	var c choice
	ssl := false
	for _, i := range s.instances {
		if !i.enabled {
			continue
		}
		ssl = ssl || i.ssl
		a := chosen{hostPort: i.addr}
		if !slices.Contains(c.up, a) {
			c.up = append(c.up, a)
		}
	}
	c.meta = map[string]string{"ssl": strconv.FormatBool(ssl)}
	return c
}
