package circuit

import "math"

// ema is an exponential moving average over samples at irregular stamps, weighted
// by the distance of each sample from the one before: com.twitter.finagle.util.Ema.
// The first sample sets it. Window and stamps have the same, arbitrary, unit.
type ema struct {
	window float64
	value  float64
	stamp  int64
	began  bool
}

// update adds a sample. A stamp that is older than the last one counts as equal.
func (e *ema) update(stamp int64, x float64) float64 {
	switch {
	case !e.began:
		e.began, e.stamp, e.value = true, stamp, x
	case e.window == 0:
		e.stamp, e.value = stamp, x
	default:
		keep := math.Exp(-float64(max(stamp-e.stamp, 0)) / e.window)
		e.value = x*(1-keep) + e.value*keep
		e.stamp = max(e.stamp, stamp)
	}
	return e.value
}

func (e *ema) reset() { e.value, e.stamp, e.began = 0, 0, false }
