package balancer

// arc is the part of a ring's endpoint that a client covers.
type arc struct {
	index   int     // of the endpoint
	overlap float64 // relative to the mean length of an endpoint
}

// unitSlices returns how many of the total unit slices of the ring a client covers:
// enough for least endpoints of n, rounded up to whole slices because only then
// each point of the ring is covered by the same number of clients.
func unitSlices(n, total, least int) int {
	least = min(least, n)
	return min((least*total+n-1)/n, total)
}

// ring returns the arcs that a client covers, in the order of the ring from the
// endpoint it starts at.
//
// The endpoints lie on a ring one after the other, each as long as its weight; the
// client with the coordinate (i, C) covers it from i/C for N/C of its length.
// With equal weights (nil) all of this is computed in integers on a ring of the
// length C·n: Finagle's floating-point ring gives some clients a wider window, or
// a neighbour with a sliver of 10⁻¹⁶ that costs a connection and gets no traffic.
func ring(n int, weights []float64, c Coordinate, least int) []arc {
	total := c.Total
	id := ((c.ID % total) + total) % total
	count := unitSlices(n, total, least)
	if weights != nil {
		return weightedRing(weights, float64(id)/float64(total), float64(count)/float64(total))
	}
	from, length := id*n, count*n
	var arcs []arc
	first := from / total
	for k := range n {
		i := (first + k) % n
		start := i * total
		covered := overlap(start, start+total, from, from+length) +
			overlap(start, start+total, from-n*total, from+length-n*total)
		if covered > 0 {
			arcs = append(arcs, arc{i, float64(covered) / float64(total)})
		}
	}
	return arcs
}

// weightedRing is ring for weights that differ, on a ring of the length 1.
func weightedRing(weights []float64, from, width float64) []arc {
	const sliver = 1e-9 // rounding, not traffic
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	var arcs []arc
	start := 0.0
	for i, w := range weights {
		end := start + w/sum
		covered := overlap(start, end, from, from+width) + overlap(start, end, from-1, from+width-1)
		if covered > sliver {
			arcs = append(arcs, arc{i, covered * float64(len(weights))})
		}
		start = end
	}
	return arcs
}

func overlap[T int | float64](a, b, c, d T) T {
	return max(min(b, d)-max(a, c), 0)
}
