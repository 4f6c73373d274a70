package zk

import (
	"net"
	"strconv"
	"time"

	"github.com/weft-mesh/weft"
)

// holder keeps endpoints that vanish for a while.
type holder struct {
	d    time.Duration
	last []weft.Endpoint      // of the set before
	gone map[string]time.Time // until when those are kept that have vanished
	next time.Time            // when one of them is to go; zero if there is none
}

// apply returns the set of what there is and what is kept. Who is in down has said
// that it is.
func (h *holder) apply(set []weft.Endpoint, down []chosen) []weft.Endpoint {
	now := time.Now()
	here := make(map[string]bool, len(set))
	for _, e := range set {
		here[e.Addr] = true
	}
	left := make(map[string]bool, len(down))
	for _, c := range down {
		left[net.JoinHostPort(c.Host, strconv.Itoa(c.Port))] = true
	}
	gone := map[string]time.Time{}
	h.next = time.Time{}
	for _, e := range h.last {
		if here[e.Addr] || left[e.Addr] || h.d == 0 {
			continue
		}
		until, ok := h.gone[e.Addr]
		if !ok {
			until = now.Add(h.d)
		}
		if !now.Before(until) {
			continue
		}
		gone[e.Addr] = until
		set = append(set, e)
		if h.next.IsZero() || until.Before(h.next) {
			h.next = until
		}
	}
	h.gone = gone
	h.last = set
	return set
}
