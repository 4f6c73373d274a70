package balancer

import (
	"cmp"
	"hash/fnv"
	"slices"
	"sync/atomic"

	"github.com/weft-mesh/weft"
)

// window is the picker of Aperture, in one of two shapes: a prefix of eps whose
// length the band decides, or all of eps drawn from table.
type window struct {
	rand    Rand
	all     []*Endpoint // also those outside
	eps     []*Endpoint
	inverse []float64 // of the weights; nil if all are equal
	cum     []float64 // prefix: normalised sums of weights; nil if they are equal
	table   *alias    // ring: draws by overlap
	hash    uint32

	meter   meter
	latency *latencyMeter // the same, if it is one
	band    *band
	coord   Coordinate
	changes uint64
	stale   <-chan struct{}
	asked   atomic.Bool // for the rebuild that a new coordinate needs
	rebuild func()
}

// layPrefix orders the endpoints by status and random token.
func (w *window) layPrefix() {
	type placed struct {
		e      *Endpoint
		status weft.Status // read once: it may change while sorting
	}
	order := make([]placed, len(w.all))
	for i, e := range w.all {
		order[i] = placed{e, e.Status()}
	}
	slices.SortFunc(order, func(x, y placed) int {
		return cmp.Or(cmp.Compare(y.status, x.status), cmp.Compare(x.e.token, y.e.token))
	})
	for _, o := range order {
		w.eps = append(w.eps, o.e)
	}
	w.hash = hashOf(w.eps)
	weights, sum, equal := shares(w.eps)
	if equal {
		return
	}
	mass := 0.0
	for _, x := range weights {
		mass += x / sum
		w.cum = append(w.cum, mass)
		w.inverse = append(w.inverse, sum/float64(len(weights))/x)
	}
}

// layRing takes the client's part of the ring of all endpoints. Their order is
// that of the hashes of their addresses, the same in all clients.
func (w *window) layRing(least int) {
	order := slices.Clone(w.all)
	slices.SortFunc(order, func(x, y *Endpoint) int {
		return cmp.Or(cmp.Compare(place(x.addr), place(y.addr)), cmp.Compare(x.addr, y.addr))
	})
	w.hash = hashOf(order)
	weights, _, equal := shares(order)
	if equal {
		weights = nil
	}
	var overlaps []float64
	for _, a := range ring(len(order), weights, w.coord, least) {
		w.eps = append(w.eps, order[a.index])
		overlaps = append(overlaps, a.overlap)
		w.inverse = append(w.inverse, 1/a.overlap)
	}
	w.table, _ = newAlias(overlaps) // all positive
}

// shares returns the weights of endpoints; all zero counts as all equal.
func shares(eps []*Endpoint) (weights []float64, sum float64, equal bool) {
	equal = true
	for _, e := range eps {
		weights = append(weights, e.share())
		sum += weights[len(weights)-1]
		equal = equal && weights[len(weights)-1] == weights[0]
	}
	return weights, sum, equal
}

// place is an endpoint's position in the order of the ring. FNV-1a leaves
// neighbouring addresses close to each other; the finaliser spreads them.
func place(addr string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(addr))
	z := h.Sum64()
	z = (z ^ z>>33) * 0xff51afd7ed558ccd
	return z ^ z>>33
}

func hashOf(eps []*Endpoint) uint32 {
	h := fnv.New32a()
	for _, e := range eps {
		_, _ = h.Write([]byte(e.addr))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum32()
}

// Pick implements Picker.
func (w *window) Pick(c weft.Call, now int64) *Endpoint {
	if w.stale != nil {
		select {
		case <-w.stale:
			if w.asked.CompareAndSwap(false, true) {
				w.rebuild()
			}
		default:
		}
	}
	if w.latency != nil {
		w.latency.tick(now)
	}
	if w.table == nil {
		w.band.tick(now, w.all)
	}
	i, j := w.pair()
	if i == j {
		return w.eps[i]
	}
	x, y := 1.0, 1.0
	if w.inverse != nil {
		x, y = w.inverse[i], w.inverse[j]
	}
	return better(w.eps[i], w.eps[j], x, y, w.meter, c, now)
}

// pair draws two candidates, different ones if there are and, where weights make
// that a matter of luck, five redraws suffice.
func (w *window) pair() (i, j int) {
	width := len(w.eps)
	if w.table == nil {
		if width = w.band.width(len(w.eps)); w.cum == nil {
			if width == 1 {
				return 0, 0
			}
			return w.rand.Pair(width)
		}
	}
	i = w.one(width)
	j = i
	for n := 0; n < 5 && i == j; n++ {
		j = w.one(width)
	}
	return i, j
}

func (w *window) one(width int) int {
	if w.table != nil {
		return w.table.draw(w.rand)
	}
	x := w.rand.Float64() * float64(width) / float64(len(w.eps))
	i, _ := slices.BinarySearch(w.cum, x)
	return min(i, len(w.eps)-1)
}

// stats describes the window for Stats.
func (w *window) stats() ApertureStats {
	st := ApertureStats{
		Logical: len(w.eps), Physical: len(w.eps), Deterministic: w.table != nil,
		VectorHash: w.hash, Coordinates: w.changes,
	}
	if w.table == nil {
		st.Logical = w.band.width(len(w.eps))
		st.Physical = st.Logical
		if w.cum != nil {
			x := float64(st.Logical) / float64(len(w.eps))
			i, _ := slices.BinarySearch(w.cum, x)
			st.Physical = min(i+1, len(w.eps))
		}
		w.band.stats(&st)
	}
	return st
}

// latencyWindow is a window that compares by latency and so observes it.
type latencyWindow struct{ *window }

// Observe implements Observer.
func (w latencyWindow) Observe(e *Endpoint, r weft.Result, now int64) { w.latency.Observe(e, r, now) }

// Load implements Loader.
func (w latencyWindow) Load(e *Endpoint, now int64) float64 { return w.latency.load(e, 1, now) }
