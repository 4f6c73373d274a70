package main

import (
	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// zoneFirst keeps requests in one zone for as long as that is not much busier than the
// others: it takes a near endpoint unless that has at least twice the outstanding work
// that a far one would have with this request. Which zone an endpoint is in is what
// discovery says in its metadata.
type zoneFirst struct {
	Zone string `yaml:"zone" weft:"required,nonempty"`
}

// zoneKind makes the policy a kind that configurations may name.
func zoneKind() config.Entry {
	return config.Define(config.RoleLoadBalancer, "com.example.zoneFirst",
		func(z zoneFirst, _ plugin.Env) (balancer.Options, error) { return balancer.Options{Policy: z}, nil },
		config.Traits{})
}

// Build implements balancer.Policy. It is called when endpoints come or go. Inside a
// zone, P2C knows better than anything written here. Weights and retries that must go
// elsewhere are not a policy's business: the balancer sees to them.
func (z zoneFirst) Build(s balancer.Set) balancer.Picker {
	var near, far []*balancer.Endpoint
	for _, e := range s.Endpoints {
		if e.Info().Meta["zone"] == z.Zone {
			near = append(near, e)
		} else {
			far = append(far, e)
		}
	}
	p2c := func(eps []*balancer.Endpoint) balancer.Picker {
		return balancer.P2C{}.Build(balancer.Set{Endpoints: eps, Rand: s.Rand})
	}
	if len(near) == 0 || len(far) == 0 {
		return p2c(s.Endpoints)
	}
	return zonePicker{near: p2c(near), far: p2c(far)}
}

type zonePicker struct{ near, far balancer.Picker }

// Pick implements balancer.Picker. It is called for every request, concurrently, and
// must not block or allocate.
func (p zonePicker) Pick(c weft.Call, now int64) *balancer.Endpoint {
	near, far := p.near.Pick(c, now), p.far.Pick(c, now)
	switch {
	case near.Status() > far.Status(): // the breaker of far is shut
		return near
	case near.Status() < far.Status():
		return far
	case near.Pending() >= 2*(far.Pending()+1):
		return far
	default:
		return near
	}
}
