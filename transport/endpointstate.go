package transport

import (
	"io"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
)

// endpointState is what a Client hangs on each endpoint's handle. It lives as long
// as the handle: load, breaker and connections survive rebuilds of the picker.
type endpointState struct {
	endpoint *balancer.Endpoint
	breaker  *circuit.Breaker
	failFast *circuit.FailFast // nil unless ClientOptions.FailFast
	conn     io.Closer
}

// status is the worst of what the breakers say.
func (s *endpointState) status() weft.Status {
	status := s.breaker.Status()
	if s.failFast != nil {
		status = min(status, s.failFast.Status())
	}
	return status
}

// tell passes the status on to the balancer. The breakers report their changes
// independently of each other, so whoever writes last looks again: what is written
// is never older than what was known before the write.
func (s *endpointState) tell(weft.Status) {
	for {
		status := s.status()
		s.endpoint.SetStatus(status)
		if s.status() == status {
			return
		}
	}
}

// close ends timers, a running probe and idle connections.
func (s *endpointState) close() {
	if s.failFast != nil {
		_ = s.failFast.Close() // never fails
	}
	_ = s.breaker.Close() // never fails
	if s.conn != nil {
		_ = s.conn.Close() // idle connections: there is nobody left to tell
	}
}
