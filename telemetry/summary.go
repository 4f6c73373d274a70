package telemetry

import "math"

// Summary is what a stat tells about the values of one window. Min, Max and the
// percentiles are midpoints of the buckets that hold them; all are 0 when Count
// is.
type Summary struct {
	Count int64
	Sum   int64
	Min   int64
	Max   int64
	P50   int64
	P90   int64
	P95   int64
	P99   int64
	P9990 int64 // 99.9 %
	P9999 int64 // 99.99 %
	Avg   float64
}

// summarise computes a summary of counts, one for each bucket, and of what the
// values exceed the lower bounds of their buckets by. A percentile p of n values
// is the bucket of the round(p×n)-th smallest, as in Finagle.
func (b *buckets) summarise(counts []uint32, excess int64) Summary {
	var s Summary
	first, last := -1, 0
	for i, n := range counts {
		if n == 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		s.Count += int64(n)
		s.Sum += int64(n) * int64(b.lower(uint(i)))
	}
	if s.Count == 0 {
		return Summary{}
	}
	s.Sum += excess
	s.Avg = float64(s.Sum) / float64(s.Count)
	s.Min, s.Max = b.midpoint(first), b.midpoint(last)

	i, seen := first, int64(counts[first])
	percentile := func(p float64) int64 {
		target := int64(math.Floor(p*float64(s.Count) + 0.5))
		for seen < target && i < last {
			i++
			seen += int64(counts[i])
		}
		return b.midpoint(i)
	}
	// In ascending order: each search goes on where the one before ended.
	s.P50 = percentile(0.5)
	s.P90 = percentile(0.9)
	s.P95 = percentile(0.95)
	s.P99 = percentile(0.99)
	s.P9990 = percentile(0.999)
	s.P9999 = percentile(0.9999)
	return s
}
