package policy

import (
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/transport"
)

// Client returns the options of a bound name, without what concerns its
// connections.
func Client(p config.ClientPolicy) (transport.ClientOptions, error) {
	o := transport.ClientOptions{RequeueBudget: Budget(p.RequeueBudget)}
	if p.RequestAttemptTimeout != nil {
		o.AttemptTimeout = *p.RequestAttemptTimeout
	}
	if p.FailFast != nil {
		o.FailFast = *p.FailFast
	}
	var err error
	if p.LoadBalancer != nil {
		if o.Balancer, err = config.Build[balancer.Options](*p.LoadBalancer, plugin.Env{}); err != nil {
			return o, err
		}
	}
	if p.FailureAccrual != nil {
		if o.Accrual, err = config.Build[circuit.Policy](*p.FailureAccrual, plugin.Env{}); err != nil {
			return o, err
		}
	}
	return o, nil
}
