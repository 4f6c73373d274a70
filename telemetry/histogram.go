package telemetry

import (
	"math"
	"slices"
)

// HistogramSchema is the schema of all Histograms, as Prometheus counts them: each
// power of two is divided into 2^4 buckets, so that a bucket is 4.4 % wide.
const HistogramSchema = 4

// Histogram is what a stat has recorded since it was made, in the exponential buckets
// of Prometheus' native histograms. The zero value is that of a stat without values.
type Histogram struct {
	// Count and Sum are those of all values, both exact.
	Count, Sum int64

	// Zero is the number of zeros.
	Zero int64

	// Buckets are those with values, in ascending order.
	Buckets []HistogramBucket
}

// HistogramBucket is the number of values above UpperBound(Index-1) and up to
// UpperBound(Index). Values beyond 100 that are within 0.5 % of a bound may be counted
// on its other side.
type HistogramBucket struct {
	Index int32
	Count int64
}

// UpperBound returns the greatest value of the bucket with an index.
func UpperBound(index int32) float64 {
	whole, part := index>>HistogramSchema, index&(1<<HistogramSchema-1)
	return math.Ldexp(math.Exp2(float64(part)/(1<<HistogramSchema)), int(whole))
}

// zeroCell is the cell of the values that are 0. The cells of other values are the
// index of their bucket plus one.
const zeroCell = 0

// cellOf is the cell of a value.
func cellOf(v int64) uint16 {
	if v <= 0 {
		return zeroCell
	}
	i := int32(math.Ceil(math.Log2(float64(v)) * (1 << HistogramSchema)))
	// The logarithm may err in its last digit.
	for i > 0 && UpperBound(i-1) >= float64(v) {
		i--
	}
	for UpperBound(i) < float64(v) {
		i++
	}
	return uint16(i + 1)
}

// cells are the counts of a cumulative histogram, by cell: each is the cell in the
// upper bits and its count in the lower ones, in ascending order. Most stats have a
// few.
type cells []uint64

const cellShift = 54 // there are 497 cells, and 2^54 is a value each nanosecond for half a year

// add adds n to a cell.
func (c cells) add(cell uint16, n uint64) cells {
	from := uint64(cell) << cellShift
	i, _ := slices.BinarySearch(c, from)
	if i < len(c) && c[i]>>cellShift == uint64(cell) {
		c[i] += n
		return c
	}
	return slices.Insert(c, i, from|n)
}

// appendTo adds the counts to h, whose buckets are sorted.
func (c cells) appendTo(h *Histogram) {
	for _, x := range c {
		h.add(uint16(x>>cellShift), int64(x&(1<<cellShift-1)))
	}
}

// add adds n to a cell of h. It is quick for cells in ascending order.
func (h *Histogram) add(cell uint16, n int64) {
	if cell == zeroCell {
		h.Zero += n
		return
	}
	index := int32(cell) - 1
	i := len(h.Buckets)
	for i > 0 && h.Buckets[i-1].Index > index {
		i--
	}
	if i > 0 && h.Buckets[i-1].Index == index {
		h.Buckets[i-1].Count += n
		return
	}
	h.Buckets = slices.Insert(h.Buckets, i, HistogramBucket{index, n})
}
