package telemetry

import (
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBuckets(t *testing.T) {
	b := newBuckets()
	require.LessOrEqual(t, b.len(), chapters*chapterBuckets)
	t.Logf("%d buckets", b.len())

	slow := func(v uint32) uint {
		return uint(sort.Search(len(b.limits), func(i int) bool { return v < b.limits[i] }))
	}
	check := func(v uint32) {
		if i := b.index(v); i != slow(v) {
			t.Fatalf("index(%d) = %d, want %d", v, i, slow(v))
		}
	}
	for v := range uint32(100_000) {
		check(v)
	}
	for i, l := range b.limits[:len(b.limits)-1] {
		check(l - 1)
		check(l)
		if i > 0 && i < len(b.limits)-2 {
			width := b.limits[i+1] - l
			assert.LessOrEqual(t, float64(width), max(1, 0.0101*float64(l)+1), "bucket from %d", l)
		}
	}
	for range 100_000 {
		check(uint32(rand.Int32()))
	}
	check(maxValue)

	for v := range int64(101) {
		assert.Equal(t, v, b.midpoint(int(b.index(uint32(v)))), "exact up to 100")
	}
	for v := int64(101); v < 1<<30; v += v / 7 {
		m := b.midpoint(int(b.index(uint32(v))))
		assert.InEpsilon(t, v, m, 0.01, "value %d", v)
	}
	assert.Equal(t, int64(maxValue), b.midpoint(int(b.index(maxValue))))
}
