package consul

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// canary watches, for a datacenter, whether the servers were set back, as happens
// when a snapshot is restored, and has everything asked again if they were. A
// blocking query of the catalog ends early when they are, with the index that it
// had; the next one would wait for an index that is not to come soon. And one for the
// health of a service, which the agent answers from its own copy of what servers
// stream to it, does not end at all. So one query for the servers themselves is
// under way beside all others.
func (n *Namer) canary(ctx context.Context, dc string, set func(naming.State[uint64])) error {
	q := question[uint64]{
		path: "/v1/catalog/service/consul", params: url.Values{}, mode: n.cfg.ConsistencyMode,
		accepted: []int{http.StatusOK},
		read:     func(*http.Response) (uint64, bool, error) { return 0, false, nil },
	}
	if dc != "" {
		q.params.Set("dc", dc)
	}
	defer n.agent.pulse.join()()
	defer n.agent.turns.join()()
	trouble := newRetry(n.agent, 0, 0)
	defer trouble.over()
	var next asking
	early := time.Duration(0) // the pause after an early answer
	for ctx.Err() == nil {
		began := time.Now()
		r, err := ask(ctx, n.agent, q, &next)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errAgain), errors.Is(err, errRestored):
			next.index = 0
			continue
		case err != nil:
			set(naming.Failed[uint64](err))
			next = asking{}
			trouble.wait(ctx, err)
			continue
		}
		trouble.over()
		set(naming.Ok(r.index))
		if next.index != 0 {
			sooner := time.Since(began) < next.wait
			if r.index < next.index || r.index == next.index && sooner {
				n.agent.pulse.setBack()
				r.epoch++
			}
			// An agent that never blocks is not to be asked without pause.
			if !sooner {
				early = 0
			} else {
				early = min(max(2*early, spacing), longWait)
			}
			sleep(ctx, early)
		}
		if !r.indexed {
			sleep(ctx, longWait)
			next = asking{}
			continue
		}
		next = asking{index: max(r.index, 1), epoch: r.epoch}
	}
	return ctx.Err()
}
