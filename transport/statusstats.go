package transport

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// maxStatuses is how many statuses have a counter of their own in one scope, since whoever
// answers may invent them. The rest counts as "other", and in its class.
const maxStatuses = 64

// StatusStats count the responses of a listener or of a client by their status. What has
// not been seen has no metric. They are safe for concurrent use.
type StatusStats struct {
	scope   *telemetry.Scope
	classes [6]struct { // by first digit of the status; 0 is for errors
		count telemetry.LateCounter
		time  telemetry.LateStat
	}
	codes atomic.Pointer[[]codeCount] // replaced under mu
	mu    sync.Mutex
	other telemetry.LateCounter
}

// codeCount is the counter of one status.
type codeCount struct {
	code  int
	count *telemetry.Counter
}

// NewStatusStats returns those of s, which do nothing if that is nil.
func NewStatusStats(s *telemetry.Scope) *StatusStats { return &StatusStats{scope: s} }

// End records a response whose head took as long, or that there was none: status 0.
func (s *StatusStats) End(status int, took time.Duration) {
	if s.scope == nil {
		return
	}
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	c := &s.classes[class]
	c.count.In(s.scope, "status", className(class)).Inc()
	c.time.In(s.scope, "time", className(class)).RecordMillis(took)
	if status != 0 {
		s.code(status).Inc()
	}
}

func className(class int) string {
	return [...]string{"error", "1XX", "2XX", "3XX", "4XX", "5XX"}[class]
}

// code returns the counter of a status. There are few, and the usual ones come first.
func (s *StatusStats) code(status int) *telemetry.Counter {
	if known := s.codes.Load(); known != nil {
		for _, c := range *known {
			if c.code == status {
				return c.count
			}
		}
	}
	return s.newCode(status)
}

func (s *StatusStats) newCode(status int) *telemetry.Counter {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known []codeCount
	if p := s.codes.Load(); p != nil {
		known = *p
	}
	for _, c := range known {
		if c.code == status { // somebody else was faster
			return c.count
		}
	}
	if len(known) >= maxStatuses {
		return s.other.In(s.scope, "status", "other")
	}
	c := codeCount{status, s.scope.Counter("status", strconv.Itoa(status))}
	next := slices.Concat(known, []codeCount{c})
	s.codes.Store(&next)
	return c.count
}
