package meshhttp

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
)

// clientStats are the metrics that HTTP adds to those of a client. Its endpoints share
// them.
type clientStats struct {
	*transport.ConnStats
	statuses *transport.StatusStats
	scope    *telemetry.Scope

	acquired       *telemetry.Stat
	unacquired     telemetry.LateFailures
	waited, refuse telemetry.LateCounter

	mu    sync.Mutex
	pools map[*http1.Pool]struct{}
}

var poolFields = []telemetry.Field{ //nolint:gochecknoglobals // a table
	{Name: "pool_cached", Kind: telemetry.KindGauge},
	{Name: "pool_size", Kind: telemetry.KindGauge},
	{Name: "pool_waiters", Kind: telemetry.KindGauge},
}

var queueFields = []telemetry.Field{{Name: "queue_size", Kind: telemetry.KindGauge}} //nolint:gochecknoglobals // a table

// newClientStats makes the metrics of a client in s; bounded says that the number of its
// connections is.
func newClientStats(s *telemetry.Scope, bounded bool) *clientStats {
	c := &clientStats{
		ConnStats: transport.NewConnStats(s), statuses: transport.NewStatusStats(s), scope: s,
		acquired: s.Stat("service_creation", "service_acquisition_latency_ms"),
		pools:    map[*http1.Pool]struct{}{},
	}
	s.Group(poolFields, func(values []float64) {
		open, idle, waiting := c.pooled()
		values[0], values[1], values[2] = float64(idle), float64(open), float64(waiting)
	})
	if bounded {
		// Connections take one request at a time: what waits for one is the queue.
		s.Scope("dispatcher", "serial").Group(queueFields, func(values []float64) {
			_, _, waiting := c.pooled()
			values[0] = float64(waiting)
		})
	}
	return c
}

// pooled returns the connections of all endpoints: how many there are, how many of them
// are idle, and how many requests wait for one.
func (s *clientStats) pooled() (open, idle, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.pools {
		o, i, w := p.Stats()
		open, idle, waiting = open+o, idle+i, waiting+w
	}
	return open, idle, waiting
}

// join and leave say which pools the client has.
func (s *clientStats) join(p *http1.Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools[p] = struct{}{}
}

func (s *clientStats) leave(p *http1.Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pools, p)
}

// failed records an attempt that brought no response.
func (s *clientStats) failed(err error, took time.Duration) {
	s.statuses.End(0, took)
	e, ok := errors.AsType[*weft.Error](err)
	if ok && (e.Stage == weft.StageConnect || e.Stage == weft.StagePick) {
		// It came by no connection.
		s.unacquired.In(s.scope.Scope("service_creation"), telemetry.FailuresOptions{}).RecordError(err)
	}
}

// observer is what the pools of the client tell.
func (s *clientStats) observer() http1.Observer {
	return http1.Observer{
		Connected:     func(nc net.Conn, took time.Duration) { s.Connected(took, secure(nc)) },
		ConnectFailed: s.ConnectFailed,
		Acquired:      s.acquired.RecordMillis,
		Waited:        func() { s.waited.In(s.scope, "pool_num_waited").Inc() },
		Refused:       func() { s.refuse.In(s.scope, "pool_num_too_many_waiters").Inc() },
		Closed:        func(r http1.ConnReport) { s.Closed(ConnEnd(r)) },
		Received:      s.Received,
		Sent:          s.Sent,
	}
}
