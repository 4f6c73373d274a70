package transformer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// SpecificHostConfig is the configuration of io.l5d.specificHost, which keeps the
// endpoints of one machine.
type SpecificHostConfig struct {
	// Host is an IP address or a host name, which stands for all its addresses and is
	// kept resolved. It is required.
	Host string `yaml:"host"`

	// Prefix is the whole prefix of the ids. The empty path is
	// /%/io.l5d.specificHost.
	Prefix dtab.Path `yaml:"-"`
}

// NewSpecificHost returns the transformer. With a host name it is an io.Closer and
// a naming.Reporter.
func NewSpecificHost(c SpecificHostConfig, o Options) (Transformer, error) {
	const kind = "io.l5d.specificHost"
	prefix, err := prefixOr(c.Prefix, kind)
	if err != nil {
		return nil, err
	}
	if c.Host == "" {
		return nil, errors.New("transformer: io.l5d.specificHost: host: is required")
	}
	if a, err := netip.ParseAddr(c.Host); err == nil {
		return Endpoints{Prefix: prefix, Name: kind, Change: filter(among([]netip.Addr{a}))}, nil
	}
	if o.Resolve == nil {
		return nil, fmt.Errorf("transformer: io.l5d.specificHost: host: %q is not an IP address, and nothing resolves names", c.Host)
	}
	return &relative{
		prefix: prefix, name: kind, joins: newJoins(), refKey: "host " + c.Host,
		change: func(set, host weft.EndpointSet) weft.EndpointSet {
			var addrs []netip.Addr
			for _, e := range host.Endpoints {
				if a, ok := addrOf(e); ok {
					addrs = append(addrs, a)
				}
			}
			return filter(among(addrs))(set)
		},
		ref: naming.NewShared(naming.WatchFunc[string, weft.EndpointSet](
			func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
				// A resolver wants a port too; which one does not matter.
				return follow(ctx, o.Resolve(ctx, c.Host, "80"), set)
			}), naming.SharedOptions{Logger: o.Logger}),
	}, nil
}

// follow reports every value of src until ctx ends.
func follow[T any](ctx context.Context, src weft.Source[naming.State[T]], set func(naming.State[T])) error {
	for {
		s, stale := src.Load()
		set(s)
		if err := naming.Any(ctx, []<-chan struct{}{stale}); err != nil {
			return err
		}
	}
}
