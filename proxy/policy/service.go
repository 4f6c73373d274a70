package policy

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
)

// Service returns the options of a logical name, without its classifier.
func Service(p config.ServicePolicy) (transport.ServiceOptions, error) {
	var o transport.ServiceOptions
	if p.TotalTimeout != nil {
		o.TotalTimeout = *p.TotalTimeout
	}
	if p.Retries == nil {
		return o, nil
	}
	o.Budget = Budget(p.Retries.Budget)
	if p.Retries.Backoff != nil {
		b, err := config.Build[retry.Backoff](*p.Retries.Backoff, plugin.Env{})
		if err != nil {
			return o, err
		}
		o.Backoff = b
	}
	return o, nil
}

// Budget returns the options of a retry budget. Keys that are 0 in the
// configuration mean zero; in the options that is retry.None.
func Budget(b *config.RetryBudget) retry.BudgetOptions {
	var o retry.BudgetOptions
	if b == nil {
		return o
	}
	if b.TTL != nil {
		o.TTL = *b.TTL
	}
	if b.MinRetriesPerSec != nil {
		if o.MinPerSecond = *b.MinRetriesPerSec; o.MinPerSecond == 0 {
			o.MinPerSecond = retry.None
		}
	}
	if b.PercentCanRetry != nil {
		if o.Ratio = *b.PercentCanRetry; o.Ratio == 0 {
			o.Ratio = retry.None
		}
	}
	return o
}
