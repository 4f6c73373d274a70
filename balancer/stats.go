package balancer

import (
	"sync/atomic"

	"github.com/weft-mesh/weft"
)

type counters struct {
	adds, removes, updates, rebuilds, expired atomic.Uint64

	_ [64]byte // the next two are counted on the pick path when things go wrong

	panicked, busyClasses atomic.Uint64
}

// Stats is a snapshot of a balancer's metrics, under the names of Finagle's
// loadbalancer scope. The owner exports them: counters never decrease.
type Stats struct {
	Adds, Removes uint64 // counters: endpoints that came and left
	Updates       uint64 // counter: calls of Update
	Rebuilds      uint64 // counter: updates and status changes that led to new pickers
	Panicked      uint64 // counter: picks that found no healthy endpoint (max_effort_exhausted)
	BusyClasses   uint64 // counter: draws of a weight class that had no healthy endpoint
	Expired       uint64 // counter: endpoints that Idle returned

	Size, Available, Busy, Closed int     // gauges: endpoints, and by status
	Load                          float64 // gauge: sum of the loads as the policy sees them
	MeanWeight                    float64 // gauge
	WeightClasses                 int     // gauge

	Aperture ApertureStats // of the policy Aperture, otherwise zero
}

// ApertureStats are the metrics of the Aperture policy.
type ApertureStats struct {
	Logical       int     // gauge: width asked for
	Physical      int     // gauge: endpoints that can be picked
	Deterministic bool    // gauge: the window comes from a coordinate
	VectorHash    uint32  // gauge: hash of all addresses in ring order, equal in clients that agree
	OfferedLoad   float64 // gauge: smoothed number of outstanding requests

	Widened, Narrowed uint64 // counters
	Coordinates       uint64 // counter: changes of the coordinate
}

// Stats returns the current metrics. It takes no lock and changes nothing.
func (b *Balancer) Stats() Stats {
	s, c := b.snap.Load(), &b.counters
	st := Stats{
		Adds: c.adds.Load(), Removes: c.removes.Load(), Updates: c.updates.Load(), Rebuilds: c.rebuilds.Load(),
		Panicked: c.panicked.Load(), BusyClasses: c.busyClasses.Load(), Expired: c.expired.Load(),
		Size: len(s.all), WeightClasses: len(s.classes),
	}
	for _, e := range s.all {
		switch e.Status() {
		case weft.Open:
			st.Available++
		case weft.Busy:
			st.Busy++
		default:
			st.Closed++
		}
		st.MeanWeight += e.share() / float64(len(s.all))
	}
	now := b.now()
	for _, cl := range s.classes {
		loader, ok := cl.picker.(Loader)
		for _, e := range cl.eps {
			if ok {
				st.Load += loader.Load(e, now)
			} else {
				st.Load += float64(e.Pending())
			}
		}
		if a, ok := cl.picker.(interface{ stats() ApertureStats }); ok {
			st.Aperture = a.stats()
		}
	}
	return st
}
