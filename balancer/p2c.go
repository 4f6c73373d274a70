package balancer

import "github.com/weft-mesh/weft"

// P2C draws two different endpoints at random and takes the healthier one, the one
// with less outstanding work if they are equally healthy, and the one that was
// picked longer ago if that is equal too. No endpoint gets
// more than 2/n of the requests of any period, a new one included, and the work
// per pick does not depend on n. It is safe for concurrent use and needs no state.
//
// "The Power of Two Choices in Randomized Load Balancing", Mitzenmacher 2001.
type P2C struct{}

// Build implements Policy.
func (P2C) Build(s Set) Picker {
	return &p2cPicker{eps: s.Endpoints, rand: s.Rand, meter: pendingMeter{}}
}

// meter tells the load of an endpoint, given the inverse of its weight relative
// to the mean weight.
type meter interface {
	load(e *Endpoint, inverse float64, now int64) float64
}

type pendingMeter struct{}

func (pendingMeter) load(e *Endpoint, inverse float64, _ int64) float64 {
	return float64(e.Pending()) * inverse
}

type p2cPicker struct {
	eps   []*Endpoint
	rand  Rand
	meter meter
}

// Pick implements Picker.
func (p *p2cPicker) Pick(c weft.Call, now int64) *Endpoint {
	if len(p.eps) == 1 {
		return p.eps[0]
	}
	i, j := p.rand.Pair(len(p.eps))
	return better(p.eps[i], p.eps[j], 1, 1, p.meter, c, now)
}

// better compares two endpoints: status, then not being the one to avoid, then
// load. Where loads and weights are equal the one picked longer ago wins, which
// makes light traffic more even than chance does.
func better(x, y *Endpoint, ix, iy float64, m meter, c weft.Call, now int64) *Endpoint {
	if sx, sy := x.Status(), y.Status(); sx != sy {
		if sx > sy {
			return x
		}
		return y
	}
	if c.Avoid != "" {
		switch c.Avoid {
		case x.addr:
			return y
		case y.addr:
			return x
		}
	}
	lx, ly := m.load(x, ix, now), m.load(y, iy, now)
	if lx < ly || lx == ly && (ix != iy || x.lastPick.Load() <= y.lastPick.Load()) {
		return x
	}
	return y
}
