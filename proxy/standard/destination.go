package standard

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// dstEndpoints is what a control plane's `dst` is bound to: its endpoints are followed
// while somebody uses them.
type dstEndpoints struct {
	path   dtab.Path
	shared *naming.Shared[dtab.Path, weft.EndpointSet]
}

// newDestination binds paths with in when they are first used. The endpoints are those
// of all of them together. Close it.
func newDestination(in naming.Interpreter, logger *slog.Logger, paths ...dtab.Path) *dstEndpoints {
	path, rules := paths[0], dtab.Dtab(nil)
	if len(paths) > 1 {
		var all []dtab.Tree[dtab.Path]
		for _, p := range paths {
			all = append(all, dtab.LeafOf(p).Weighing(1))
		}
		path = dtab.MustPath("/dsts")
		rules = dtab.Dtab{{Prefix: dtab.MustPrefix("/dsts"), Dst: dtab.UnionOf(all...)}}
	}
	return &dstEndpoints{path: path, shared: naming.NewShared(naming.WatchFunc[dtab.Path, weft.EndpointSet](
		func(ctx context.Context, p dtab.Path, set func(naming.State[weft.EndpointSet])) error {
			return naming.FollowEndpoints(ctx, in.Bind(ctx, rules, p), set)
		}), naming.SharedOptions{Logger: logger})}
}

// Endpoints returns the endpoints, kept up to date until ctx ends.
func (d *dstEndpoints) Endpoints(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
	return d.shared.Observe(ctx, d.path)
}

// Dial connects to any of the endpoints, whatever the address.
func (d *dstEndpoints) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	s, err := weft.Until(ctx, d.Endpoints(ctx), func(s naming.State[weft.EndpointSet]) bool { return !s.Pending() })
	if err != nil {
		return nil, fmt.Errorf("%s is not bound: %w", d.path, err)
	}
	eps := s.Value.Endpoints
	if len(eps) == 0 {
		if s.Err != nil {
			return nil, fmt.Errorf("%s has no endpoints: %w", d.path, s.Err)
		}
		return nil, fmt.Errorf("%s has no endpoints", d.path)
	}
	var dialer net.Dialer
	for _, i := range rand.Perm(len(eps)) {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, eps[i].Addr); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// Close ends the watch.
func (d *dstEndpoints) Close() error { return d.shared.Close() }
