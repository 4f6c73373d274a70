package standard

import (
	"math"

	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/retry"
)

func balancers() []config.Entry {
	p2c := func(p balancer.Policy) func(kinds.P2C, plugin.Env) (balancer.Options, error) {
		return func(c kinds.P2C, _ plugin.Env) (balancer.Options, error) { return effort(p, c), nil }
	}
	role, t := config.RoleLoadBalancer, config.Traits{}
	return []config.Entry{
		config.Define(role, "p2c", p2c(balancer.P2C{}), t),
		config.Define(role, "roundRobin", p2c(balancer.RoundRobin{}), t),
		config.Define(role, "heap", func(c kinds.Balancer, _ plugin.Env) (balancer.Options, error) {
			return balancer.Options{Policy: balancer.Heap{}, Probation: c.EnableProbation}, nil
		}, t),
		config.Define(role, "ewma", func(c kinds.EWMA, _ plugin.Env) (balancer.Options, error) {
			p := balancer.EWMA{}
			if c.DecayTime != nil {
				p.Decay = *c.DecayTime
			}
			return effort(p, c.P2C), nil
		}, t),
		config.Define(role, "aperture", func(c kinds.Aperture, _ plugin.Env) (balancer.Options, error) {
			p := balancer.Aperture{}
			if c.SmoothWindow != nil {
				p.SmoothWindow = *c.SmoothWindow
			}
			p.LowLoad, p.HighLoad = positive(c.LowLoad), positive(c.HighLoad)
			if c.MinAperture != nil {
				p.MinAperture = *c.MinAperture
			}
			return effort(p, c.P2C), nil
		}, t),
	}
}

func effort(p balancer.Policy, c kinds.P2C) balancer.Options {
	o := balancer.Options{Policy: p, Probation: c.EnableProbation}
	if c.MaxEffort != nil {
		o.MaxEffort = *c.MaxEffort
	}
	return o
}

// positive keeps a zero that was asked for apart from the default.
func positive(f *float64) float64 {
	switch {
	case f == nil:
		return 0
	case *f == 0:
		return math.SmallestNonzeroFloat64
	default:
		return *f
	}
}

func accruals() []config.Entry {
	role, t := config.RoleFailureAccrual, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.consecutiveFailures", func(c kinds.ConsecutiveFailures, _ plugin.Env) (circuit.Policy, error) {
			b, err := backoffOf(c.AccrualBackoff)
			return circuit.ConsecutiveFailures{N: c.Failures, Backoff: b}, err
		}, t),
		config.Define(role, "io.l5d.successRate", func(c kinds.SuccessRate, _ plugin.Env) (circuit.Policy, error) {
			b, err := backoffOf(c.AccrualBackoff)
			if c.SuccessRate == 0 {
				return circuit.None{}, err // no rate is lower
			}
			return circuit.SuccessRate{Rate: c.SuccessRate, Requests: c.Requests, Backoff: b}, err
		}, t),
		config.Define(role, "io.l5d.successRateWindowed", func(c kinds.SuccessRateWindowed, _ plugin.Env) (circuit.Policy, error) {
			b, err := backoffOf(c.AccrualBackoff)
			if c.SuccessRate == 0 {
				return circuit.None{}, err
			}
			return circuit.SuccessRateWindowed{Rate: c.SuccessRate, Window: c.Window, Backoff: b}, err
		}, t),
		config.Define(role, "none", func(none, plugin.Env) (circuit.Policy, error) { return circuit.None{}, nil }, t),
	}
}

func backoffOf(c kinds.AccrualBackoff) (circuit.Backoff, error) {
	if c.Backoff == nil {
		return nil, nil //nolint:nilnil // nil is the policy's default
	}
	return config.Build[retry.Backoff](*c.Backoff, plugin.Env{})
}

func backoffs() []config.Entry {
	role, t := config.RoleBackoff, config.Traits{}
	return []config.Entry{
		config.Define(role, "constant", func(c kinds.ConstantBackoff, _ plugin.Env) (retry.Backoff, error) {
			return retry.Constant(c.Delay), nil
		}, t),
		config.Define(role, "jittered", func(c kinds.JitteredBackoff, _ plugin.Env) (retry.Backoff, error) {
			return retry.DecorrelatedJitter{Base: *c.Min, Max: *c.Max}, nil
		}, t),
	}
}
