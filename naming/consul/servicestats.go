package consul

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// serviceStats count what happens to the watches of services. What has not happened has no
// metric.
type serviceStats struct {
	scope                 *telemetry.Scope // service
	cached, opens, closes telemetry.LateCounter
	answered, failed      telemetry.LateCounter
}

func newServiceStats(s *telemetry.Scope) *serviceStats {
	return &serviceStats{scope: s.Scope("service")}
}

// observe returns the endpoints of a service, and counts the look-up if it is watched
// already.
func (n *Namer) observe(ctx context.Context, key service) weft.Source[naming.State[weft.EndpointSet]] {
	if n.sets.Has(key) {
		n.stats.cached.In(n.stats.scope, "cached").Inc()
	}
	return n.sets.Observe(ctx, key)
}

// counted is the naming.Watcher of a service.
func (n *Namer) counted(ctx context.Context, key service, set func(naming.State[weft.EndpointSet])) error {
	s := n.stats
	s.opens.In(s.scope, "opens").Inc()
	defer func() { s.closes.In(s.scope, "closes").Inc() }()
	return n.watch(ctx, key, func(st naming.State[weft.EndpointSet]) {
		switch {
		case st.Err != nil:
			s.failed.In(s.scope, "errors").Inc()
		case st.Known:
			s.answered.In(s.scope, "updates").Inc()
		}
		set(st)
	})
}
