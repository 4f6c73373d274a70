package telemetry

import (
	"math"
	"math/bits"
)

// The shape of the lookup table of buckets: values below directCells have a cell
// each, larger ones share the cells of their octave.
const (
	directCells = 256
	octaveCells = 128
	octaves     = 31 - 8 // of values with 9 to 31 bits
	maxValue    = math.MaxInt32
)

// buckets are the fixed bounds that all stats share: those of Finagle's
// BucketedHistogram with an error of 0.5 %. Bucket i holds the values v with
// limits[i-1] <= v < limits[i], the first one 0 alone, the last one everything up
// to maxValue. Bounds are consecutive integers first and grow by 1 % later.
type buckets struct {
	limits []uint32 // the last one is a sentinel above maxValue
	// cells maps the leading bits of a value to the first bucket it can be in. A
	// cell spans less than 0.8 %, so the right bucket is that one or the next.
	cells [directCells + octaves*octaveCells]uint16
	// native is the cell of each bucket in cumulative histograms.
	native []uint16
	// idle is the summary of all empty windows.
	idle Summary
}

func newBuckets() *buckets {
	b := &buckets{limits: make([]uint32, 0, 1800), native: make([]uint16, 0, 1800)}
	for n := 1.0; n < maxValue; n += max(1, n*0.01) {
		b.limits = append(b.limits, uint32(n))
	}
	b.limits = append(b.limits, math.MaxUint32)

	i := uint16(0)
	for c := range b.cells {
		for cellStart(c) >= b.limits[i] {
			i++
		}
		b.cells[c] = i
	}
	for i := range b.limits {
		b.native = append(b.native, cellOf(b.midpoint(i)))
	}
	return b
}

// len returns the number of buckets.
func (b *buckets) len() int { return len(b.limits) }

// index returns the bucket of v, which is at most maxValue.
func (b *buckets) index(v uint32) uint {
	c := uint(v)
	if v >= directCells {
		n := uint(bits.Len32(v)) - 8 // 1 for values of 9 bits
		c = directCells + (n-1)*octaveCells + uint(v>>n)&(octaveCells-1)
	}
	i := uint(b.cells[c])
	for v >= b.limits[i] {
		i++
	}
	return i
}

// cellStart is the smallest value whose leading bits lead to cell c.
func cellStart(c int) uint32 {
	if c < directCells {
		return uint32(c)
	}
	c -= directCells
	return uint32(octaveCells+c%octaveCells) << (c/octaveCells + 1)
}

// lower is the smallest value in bucket i.
func (b *buckets) lower(i uint) uint32 {
	if i == 0 {
		return 0
	}
	return b.limits[i-1]
}

// midpoint is the value that is reported for the values in bucket i.
func (b *buckets) midpoint(i int) int64 {
	switch i {
	case 0:
		return 0
	case len(b.limits) - 1:
		return maxValue
	default:
		return (int64(b.limits[i-1]) + int64(b.limits[i])) / 2
	}
}
