package balancer

import "errors"

var (
	errNoWeights      = errors.New("balancer: no weights to draw from")
	errNegativeWeight = errors.New("balancer: a weight must not be negative")
)

// alias draws an index with a probability proportional to its weight, in
// constant time, by Vose's alias method (1991).
type alias struct {
	prob  []float64
	other []int32
}

// newAlias builds the table in linear time. Weights that are all zero mean a
// uniform draw.
func newAlias(weights []float64) (*alias, error) {
	n := len(weights)
	if n == 0 {
		return nil, errNoWeights
	}
	sum := 0.0
	for _, w := range weights {
		if w < 0 {
			return nil, errNegativeWeight
		}
		sum += w
	}
	t := &alias{prob: make([]float64, n), other: make([]int32, n)}
	scaled := make([]float64, n)
	var small, large []int32
	for i, w := range weights {
		scaled[i] = 1
		if sum > 0 {
			scaled[i] = w / sum * float64(n)
		}
		t.prob[i] = 1
		if scaled[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.prob[s], t.other[s] = scaled[s], l
		scaled[l] -= 1 - scaled[s]
		if scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return t, nil
}

// draw uses one random number: its high half for the column, its low half for
// the choice inside the column.
func (t *alias) draw(r Rand) int {
	u := r.Uint64()
	i := scale(uint32(u>>32), len(t.prob))
	if p := t.prob[i]; p < 1 && float64(uint32(u)) >= p*(1<<32) {
		return int(t.other[i])
	}
	return i
}
