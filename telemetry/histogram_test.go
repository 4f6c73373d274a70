package telemetry_test

import (
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/telemetry"
)

func histogram(s *telemetry.Stat) telemetry.Histogram {
	var h telemetry.Histogram
	s.Histogram(&h)
	return h
}

func TestUpperBound(t *testing.T) {
	for index, want := range map[int32]float64{0: 1, 16: 2, 32: 4, 8: math.Sqrt2, 496: 1 << 31, -16: 0.5, -8: math.Sqrt2 / 2} {
		assert.InEpsilon(t, want, telemetry.UpperBound(index), 1e-15, "%d", index)
	}
	assert.Equal(t, 1024.0, telemetry.UpperBound(160), "powers of two are exact") //nolint:testifylint // exact
}

func TestHistogramOfSmallValuesIsExact(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("a").Stat("b")
	assert.Equal(t, telemetry.Histogram{}, histogram(s))
	s.Record(0)
	for v := range int64(17) {
		for range v {
			s.Record(v)
		}
		if v == 7 {
			tree.CloseWindow()
		}
	}
	h := histogram(s)
	assert.Equal(t, int64(1), h.Zero)
	assert.Equal(t, int64(137), h.Count)
	require.Len(t, h.Buckets, 16)
	for i, b := range h.Buckets {
		v := float64(i + 1)
		assert.Equal(t, int64(i+1), b.Count)
		assert.Less(t, telemetry.UpperBound(b.Index-1), v)
		assert.GreaterOrEqual(t, telemetry.UpperBound(b.Index), v)
	}
}

// Whatever the windows, a histogram has all values, each within a bucket or, at its
// bound, in the one beside it.
func TestHistogramProperty(t *testing.T) {
	tree := newTree(t)
	rapid.Check(t, func(t *rapid.T) {
		s := tree.Scope("a").Stat("b")
		defer tree.Scope("a").Prune()
		windows := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(0, 2_100_000_000), 0, 50), 1, 4).Draw(t, "windows")
		var count, sum, zeros int64
		greater := func(bound float64) int64 {
			n := int64(0)
			for _, w := range windows {
				for _, v := range w {
					if float64(v) > bound {
						n++
					}
				}
			}
			return n
		}
		for i, w := range windows {
			if i > 0 {
				tree.CloseWindow()
			}
			for _, v := range w {
				s.Record(v)
				count++
				sum += v
				if v == 0 {
					zeros++
				}
			}
			if gotCount, gotSum := s.Total(); i < len(windows) {
				require.Equal(t, count, gotCount)
				require.Equal(t, sum, gotSum)
			}
		}
		h := histogram(s)
		require.Equal(t, count, h.Count)
		require.Equal(t, sum, h.Sum)
		require.Equal(t, zeros, h.Zero)
		above := count - zeros
		for i, b := range h.Buckets {
			require.Positive(t, b.Count)
			if i > 0 {
				require.Greater(t, b.Index, h.Buckets[i-1].Index)
			}
			above -= b.Count
			bound := telemetry.UpperBound(b.Index)
			require.GreaterOrEqual(t, above, greater(bound*1.0051+1))
			require.LessOrEqual(t, above, greater(bound*0.9949-1))
		}
		require.Zero(t, above)
	})
}

// What only grows never shrinks for those who look while windows close.
func TestTotalsNeverShrink(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("a").Stat("b")
	const workers, each = 2, 20_000
	var recorders, others sync.WaitGroup
	stop := make(chan struct{})
	for range workers {
		recorders.Go(func() {
			for i := range each {
				s.Record(int64(i*37) % 5000)
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				tree.CloseWindow()
				runtime.Gosched()
			}
		}
	})
	var h, before telemetry.Histogram
	var count, sum int64
	watch := func() {
		c, n := s.Total()
		assert.GreaterOrEqual(t, c, count)
		assert.GreaterOrEqual(t, n, sum)
		s.Histogram(&h)
		assert.GreaterOrEqual(t, h.Count, c)
		assert.GreaterOrEqual(t, h.Sum, n)
		assert.GreaterOrEqual(t, len(h.Buckets), len(before.Buckets))
		count, sum = h.Count, h.Sum
		before, h = h, before
	}
	done := make(chan struct{})
	go func() { recorders.Wait(); close(done) }()
	for running := true; running && !t.Failed(); {
		select {
		case <-done:
			running = false
		default:
			watch()
			runtime.Gosched()
		}
	}
	<-done
	close(stop)
	others.Wait()
	watch()
	want := int64(0)
	for i := range each {
		want += workers * (int64(i*37) % 5000)
	}
	assert.Equal(t, int64(workers*each), count)
	assert.Equal(t, want, sum)
}

func TestTotalsOfNothing(t *testing.T) {
	var s *telemetry.Stat
	c, n := s.Total()
	assert.Zero(t, c)
	assert.Zero(t, n)
	assert.Equal(t, telemetry.Histogram{}, histogram(s))
}

func TestHistogramDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newTree(t).Scope("a").Stat("b")
	for v := range int64(5000) {
		s.Record(v)
	}
	h := histogram(s)
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.Histogram(&h); s.Total() }))
}

func BenchmarkHistogram(b *testing.B) {
	s := newTree(b).Scope("a").Stat("b")
	for v := range int64(200) {
		s.Record(v)
	}
	var h telemetry.Histogram
	b.ReportAllocs()
	for b.Loop() {
		s.Histogram(&h)
	}
}
