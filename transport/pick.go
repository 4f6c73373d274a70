package transport

import (
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
)

// Pick is an endpoint chosen for one attempt. It is a value; of its copies exactly
// one must be told Done or DoneDeposit, exactly once. The zero Pick holds nothing.
type Pick struct {
	// Endpoint is the choice.
	Endpoint *balancer.Endpoint
	// Client is the client that the endpoint belongs to.
	Client *Client
	// Residual is what the namer left of the name.
	Residual dtab.Path

	pick  balancer.Pick
	state *endpointState
	token circuit.Token
	pair  *pairStats
}

func newPick(bp balancer.Pick, b *branch) Pick {
	p := Pick{pick: bp, Endpoint: bp.Endpoint, Client: b.client, Residual: b.residual, pair: b.pair}
	if s, ok := bp.Endpoint.Attachment.(*endpointState); ok {
		p.state = s
		// The breaker learns of the attempt only now that the endpoint is the chosen
		// one: in its probing state exactly one request may be the probe.
		p.token = s.breaker.Begin()
	}
	p.Client.stats.pending.Add(1)
	p.pair.pending.Add(1)
	return p
}

// Elapsed returns the time since the pick, 0 for the zero Pick.
func (p Pick) Elapsed() time.Duration { return p.pick.Elapsed() }

// Conn returns what ClientOptions.Connect made for the endpoint.
func (p Pick) Conn() any {
	if p.state == nil {
		return nil
	}
	return p.state.conn
}

// Connected reports that a connection to the endpoint was made. Attempts that found
// one to reuse need not report it.
func (p Pick) Connected() {
	if p.state != nil && p.state.failFast != nil {
		p.state.failFast.Connected()
	}
}

// ConnectFailed reports that connecting to the endpoint failed with err, once for
// each try that was not given up by the caller. With ClientOptions.FailFast, and
// if there is another endpoint to go to, it takes the endpoint out.
func (p Pick) ConnectFailed(err error) {
	if p.state == nil || p.state.failFast == nil {
		return
	}
	if s, _ := p.Client.addrs.Load(); s.size > 1 {
		p.state.failFast.Failed(err)
	}
}

// Done reports how the attempt ended. A success is deposited into the client's
// requeue budget.
func (p Pick) Done(r weft.Result) { p.DoneDeposit(r, r.Class == weft.Success) }

// DoneDeposit is Done for adapters with classifiers: requeues are earned by what
// the protocol's default classifier calls a success, which deposit says, whatever
// the service's own classifier has put into r.
func (p Pick) DoneDeposit(r weft.Result, deposit bool) {
	if p.Client == nil {
		return
	}
	// The balancer first: it frees the slot that the attempt held.
	r = p.pick.End(r)
	if p.state != nil {
		p.state.breaker.End(p.token, r)
	}
	if deposit {
		p.Client.requeues.Deposit()
	}
	s := p.Client.stats
	s.pending.Add(-1)
	s.end(r)
	p.pair.pending.Add(-1)
	p.pair.end(r)
}
