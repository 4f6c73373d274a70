package meshgrpc

import (
	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
)

// policyOf returns the retry policy of a logical name.
func policyOf(d *transport.Dest) retry.Policy {
	return retry.Policy{Dst: d.Path(), Budget: d.Budget(), Backoff: d.Options().Backoff}
}

// donePick ends an attempt. Any answer earns the client's requeue budget a
// deposit, whatever the service's classifier makes of it.
func donePick(p transport.Pick, res weft.Result, answered bool) {
	if answered {
		p.Client.Retry().Budget.Deposit()
	}
	p.Done(res)
}
