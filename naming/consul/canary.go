package consul

import (
	"context"
	"net/http"
	"net/url"

	"github.com/weft-mesh/weft/naming"
)

// canary watches, for a datacenter, whether the servers were set back, as happens
// when a snapshot is restored. A blocking query of the catalog ends when they are;
// one for the health of a service, which the agent answers from its own copy of what
// servers stream to it, does not: it waits for an index that is not to come. So one
// of the former, for the servers themselves, is kept under way beside the latter.
func (n *Namer) canary(ctx context.Context, dc string, set func(naming.State[uint64])) error {
	q := question[uint64]{
		path: "/v1/catalog/service/consul", params: url.Values{}, mode: n.cfg.ConsistencyMode,
		accepted: []int{http.StatusOK},
		read:     func(*http.Response) (uint64, bool, error) { return 0, false, nil },
		setBack:  func() { n.agent.pulse.end(errRestored) },
	}
	if dc != "" {
		q.params.Set("dc", dc)
	}
	return poll(ctx, n.agent, q, set)
}
