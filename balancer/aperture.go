package balancer

import (
	"time"

	"github.com/weft-mesh/weft"
)

// Defaults of Aperture.
const (
	DefaultSmoothWindow  = 5 * time.Second
	DefaultLowLoad       = 0.5
	DefaultHighLoad      = 2.0
	DefaultMinAperture   = 1
	DefaultDeterministic = 12
)

// Coordinate is a client's place among the clients of a service. The zero
// Coordinate is unknown.
type Coordinate struct {
	ID    int // counted from 0, modulo Total
	Total int // number of clients
}

// Aperture is weighted P2C inside a window of the endpoints, so that a client
// needs few connections and sees enough requests per endpoint for their load to
// mean something. The zero Aperture has the documented defaults.
//
// Without a coordinate the window is a prefix of an order that is random in every
// process, healthy endpoints first, and as wide as the load asks for: it widens
// while the smoothed number of outstanding requests per endpoint is at least
// HighLoad, and narrows while it is at most LowLoad. The width survives changes of
// the set.
//
// With one, all clients together lay their windows around a ring of the endpoints
// such that each endpoint gets the same share. See ring.
type Aperture struct {
	SmoothWindow time.Duration // of the load; 0 means 5 s
	LowLoad      float64       // 0 means 0.5
	HighLoad     float64       // 0 means 2
	MinAperture  int           // 0 means 1

	// Coordinate places the client on the ring. While it is nil or unknown, the
	// window is random.
	Coordinate weft.Source[Coordinate]

	// Deterministic is the least window with a coordinate; 0 or 1 mean 12. P2C over
	// less gives endpoints that are in the window in part too much.
	Deterministic int

	// Cost compares endpoints by latency; nil compares their outstanding work.
	Cost *EWMA
}

// HonoursWeights implements WeightAware.
func (Aperture) HonoursWeights() bool { return true }

// RebuildOnStatus implements StatusAware: unhealthy endpoints leave the random
// window. The one on the ring stays as it is, or the shares would not add up.
func (p Aperture) RebuildOnStatus() bool {
	if p.Coordinate == nil {
		return true
	}
	c, _ := p.Coordinate.Load()
	return c.Total <= 0
}

func (p Aperture) withDefaults() Aperture {
	if p.SmoothWindow <= 0 {
		p.SmoothWindow = DefaultSmoothWindow
	}
	if p.LowLoad <= 0 {
		p.LowLoad = DefaultLowLoad
	}
	if p.HighLoad <= 0 {
		p.HighLoad = DefaultHighLoad
	}
	p.HighLoad = max(p.HighLoad, p.LowLoad)
	if p.MinAperture <= 0 {
		p.MinAperture = DefaultMinAperture
	}
	if p.Deterministic <= 1 {
		p.Deterministic = DefaultDeterministic
	}
	return p
}

// Build implements Policy.
func (p Aperture) Build(s Set) Picker {
	p = p.withDefaults()
	w := &window{rand: s.Rand, all: s.Endpoints, rebuild: s.Rebuild}
	prev, _ := s.Prev.(*window)
	if lw, ok := s.Prev.(latencyWindow); ok {
		prev = lw.window
	}
	var before *latencyMeter
	if prev != nil {
		w.band, w.changes, w.coord, before = prev.band, prev.changes, prev.coord, prev.latency
	} else {
		w.band = newBand(p)
	}
	w.meter = pendingMeter{}
	if p.Cost != nil {
		w.latency = p.Cost.meter(before, s.Endpoints)
		w.meter = w.latency
	}
	if p.Coordinate != nil {
		c, stale := p.Coordinate.Load()
		w.stale = stale
		if prev != nil && c != prev.coord {
			w.changes++
		}
		w.coord = c
	}
	if w.coord.Total > 0 {
		w.layRing(p.Deterministic)
	} else {
		w.layPrefix()
	}
	if w.latency != nil {
		return latencyWindow{w}
	}
	return w
}
