package zk

import (
	"context"
	"slices"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// serverset is what the znode of a serverset and its children say.
type serverset struct {
	absent  bool
	members []member // by name
	weights []weight
}

// watchMembers is the naming.Watcher of a serverset.
func (n *Serversets) watchMembers(ctx context.Context, at place, set func(naming.State[serverset])) error {
	d := directory[serversetNode]{path: at.path, wanted: serversetNodes, parse: parseServersetNode}
	return follow(ctx, &n.base, at.ensemble, d, func(l listing[serversetNode], version string) {
		s := serverset{absent: l.absent}
		for _, e := range l.entries {
			if e.value.member != nil {
				s.members = append(s.members, *e.value.member)
			}
			s.weights = append(s.weights, e.value.vector...)
		}
		set(naming.Ok(s).At(version))
	}, func(err error) { set(naming.Failed[serverset](err)) })
}

// weigh returns the weight of a member's endpoint, as weft.Endpoint has it.
func (s serverset) weigh(m member, hp hostPort) float64 {
	w := 1.0
	for _, f := range s.weights {
		if f.matches(m, hp) {
			w *= f.factor
		}
	}
	switch w {
	case 1:
		return 0 // the default
	case 0:
		return -1 // no traffic
	default:
		return w
	}
}

// watchEndpoints is the naming.Watcher of the endpoints of a job.
func (n *Serversets) watchEndpoints(ctx context.Context, key jobAt, set func(naming.State[weft.EndpointSet])) error {
	r := resolution[serverset]{
		src:     n.members.Observe(ctx, place{key.ensemble, key.path}),
		choose:  func(s serverset) choice { return s.choose(key.job) },
		resolve: n.opts.Resolve,
		hold:    n.opts.RemovalHold,
	}
	return r.follow(ctx, set)
}

// choose returns the addresses of the members that are ALIVE, in order.
func (s serverset) choose(j job) choice {
	out := choice{neg: true}
	for _, m := range s.members {
		hp, ok := m.at(j.endpoint)
		if !ok || j.shard >= 0 && m.shard != j.shard {
			continue
		}
		c := chosen{hp, s.weigh(m, hp)}
		if m.status != alive {
			out.down = append(out.down, c)
		} else if !slices.ContainsFunc(out.up, func(o chosen) bool { return o.hostPort == hp }) {
			out.up = append(out.up, c)
		}
	}
	return out
}
