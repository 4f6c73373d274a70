package telemetry_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/telemetry"
)

func TestStatVectors(t *testing.T) {
	const top = math.MaxInt32
	for _, v := range []struct {
		id     string
		values []int64
		want   telemetry.Summary
	}{
		{"control-plane 8: empty", nil, telemetry.Summary{}},
		{"80: one", []int64{1}, telemetry.Summary{Count: 1, Sum: 1, Min: 1, Max: 1, P50: 1, P90: 1, P95: 1, P99: 1, P9990: 1, P9999: 1, Avg: 1}},
		{"8: 1, 2", []int64{2, 1}, telemetry.Summary{Count: 2, Sum: 3, Min: 1, Max: 2, P50: 1, P90: 2, P95: 2, P99: 2, P9990: 2, P9999: 2, Avg: 1.5}},
		{"8: zeros", []int64{0, 0}, telemetry.Summary{Count: 2}},
		{"8: below 0", []int64{-5}, telemetry.Summary{Count: 1}},
		{"8: clamped", []int64{math.MaxInt64}, telemetry.Summary{Count: 1, Sum: top, Min: top, Max: top, P50: top, P90: top, P95: top, P99: top, P9990: top, P9999: top, Avg: top}},
		{"8: 1..100", seq(1, 100), telemetry.Summary{Count: 100, Sum: 5050, Min: 1, Max: 100, P50: 50, P90: 90, P95: 95, P99: 99, P9990: 100, P9999: 100, Avg: 50.5}},
	} {
		t.Run(v.id, func(t *testing.T) {
			tree := newTree(t)
			s := tree.Scope("a").Stat("b")
			for _, n := range v.values {
				s.Record(n)
			}
			assert.Equal(t, v.want, s.Live())
			tree.CloseWindow()
			got, ok := s.Summary()
			assert.True(t, ok)
			assert.Equal(t, v.want, got)
			assert.Zero(t, s.Live(), "the next window starts empty")
		})
	}
}

func seq(from, to int64) []int64 {
	var s []int64
	for ; from <= to; from++ {
		s = append(s, from)
	}
	return s
}

// The percentiles of any set of values are within 0.5 % (and the rounding to
// integers) of the true ones, and count, sum and average are exact. Values in the
// last bucket are left out: they are reported as 2^31-1.
func TestStatProperty(t *testing.T) {
	tree := newTree(t)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 2_100_000_000), 1, 200).Draw(t, "values")
		s := tree.Scope("a").Stat("b")
		defer tree.Scope("a").Prune()
		var sum int64
		for _, v := range values {
			s.Record(v)
			sum += v
		}
		got := s.Live()
		slices.Sort(values)
		n := len(values)
		require.Equal(t, int64(n), got.Count)
		require.Equal(t, sum, got.Sum)
		require.InDelta(t, float64(sum)/float64(n), got.Avg, 1e-6)
		near := func(want, got int64, what string) {
			require.LessOrEqual(t, math.Abs(float64(want-got)), 0.0051*float64(want)+1, "%s: want %d, got %d", what, want, got)
		}
		near(values[0], got.Min, "min")
		near(values[n-1], got.Max, "max")
		at := func(p float64) int64 { return values[max(int(math.Floor(p*float64(n)+0.5))-1, 0)] }
		near(at(0.5), got.P50, "p50")
		near(at(0.9), got.P90, "p90")
		near(at(0.95), got.P95, "p95")
		near(at(0.99), got.P99, "p99")
		near(at(0.999), got.P9990, "p9990")
		near(at(0.9999), got.P9999, "p9999")
	})
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := telemetry.NewTree(telemetry.Options{})
		defer tree.Close()
		s := tree.Scope("foo").Stat("bar")
		count := func() int64 {
			sum, ok := s.Summary()
			if !ok {
				return -1
			}
			return sum.Count*100 + sum.Max
		}
		after := func(d time.Duration) { time.Sleep(d); synctest.Wait() }

		s.Record(1)
		after(59 * time.Second)
		assert.Equal(t, int64(-1), count(), "79: nothing before the end of the first window")
		after(time.Second)
		assert.Equal(t, int64(101), count(), "80")
		s.Record(2)
		assert.Equal(t, int64(101), count(), "81: readers see the closed window")
		after(time.Minute)
		assert.Equal(t, int64(102), count(), "81: the window was reset")
		late := tree.Scope("late").Stat("bar")
		after(time.Minute)
		assert.Equal(t, int64(0), count(), "an empty window")
		_, ok := late.Summary()
		assert.True(t, ok, "one timer closes the windows of all")
		s.Record(5)
		require.NoError(t, tree.Close())
		require.NoError(t, tree.Close())
		after(time.Hour)
		assert.Equal(t, int64(0), count(), "no timer after Close")
	})
}

// Nothing is lost or counted twice while windows close under the recorders.
func TestStatIsExactAcrossWindows(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("a").Stat("b")
	const workers, each = 4, 20_000
	var wg sync.WaitGroup
	var want int64
	// The nth worker stops half-way until n+1 windows with values have been closed, while
	// others record: whoever gets to run, values come before, between and after windows.
	var closed [workers]chan struct{}
	windows := 0
	for w := range workers {
		closed[w] = make(chan struct{})
		for i := range each {
			want += int64(i*(w+1)*37) % 5000
		}
		wg.Go(func() {
			for i := range each {
				s.Record(int64(i*(w+1)*37) % 5000)
				if i%500 == 0 {
					runtime.Gosched() // let windows close in between
				}
				if i == each/2 {
					select {
					case <-closed[w]:
					case <-time.After(time.Minute): // they hold nothing, which the end tells of
					}
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var count, sum int64
	closeWindow := func() {
		tree.CloseWindow()
		got, _ := s.Summary()
		count += got.Count
		sum += got.Sum
		if got.Count > 0 {
			if windows < workers {
				close(closed[windows])
			}
			windows++
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			closeWindow()
			runtime.Gosched()
		}
	}
	closeWindow()
	assert.Equal(t, int64(workers*each), count)
	assert.Equal(t, want, sum)
	assert.Greater(t, windows, workers, "the test did not test anything")
}

func TestSumIsOfTheWindow(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("a").Stat("b")
	for _, v := range []int64{123_457, 7_654_321} {
		s.Record(v)
		tree.CloseWindow()
		got, _ := s.Summary()
		assert.Equal(t, v, got.Sum)
	}
}

func TestRecordMillis(t *testing.T) {
	s := newTree(t).Scope("a").Stat("b")
	s.RecordMillis(1999 * time.Microsecond)
	assert.Equal(t, int64(1), s.Live().Sum, "truncated")
}

func TestStatMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	tree := newTree(t)
	parent := tree.Scope("rt", "http", "client")
	names := make([]string, 2000)
	for i := range names {
		names[i] = fmt.Sprintf("#/io.l5d.fs/%d", i)
	}
	each := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f()
		runtime.GC()
		runtime.ReadMemStats(&after)
		return (after.HeapAlloc - before.HeapAlloc) / uint64(len(names))
	}
	stats := make([]*telemetry.Stat, len(names))
	idle := each(func() {
		for i, n := range names {
			stats[i] = parent.Stat(n)
		}
	})
	narrow := each(func() {
		for _, s := range stats {
			for v := range int64(60) {
				s.Record(v)
			}
		}
		tree.CloseWindow()
	})
	wide := each(func() {
		for _, s := range stats[:len(stats)/10] {
			for v := int64(1); v < math.MaxInt32; v *= 2 {
				s.Record(v)
			}
		}
	}) * 10
	t.Logf("bytes per stat with its scope: idle %d, values up to 60 %d more, all magnitudes %d more", idle, narrow, wide)
	assert.Less(t, idle, uint64(200))
	assert.Less(t, narrow, uint64(1200), "counts of the window, and a cumulative histogram of 45 buckets")
	runtime.KeepAlive(stats)
}

func TestStatDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newTree(t).Scope("a").Stat("b")
	v := int64(0)
	for range 5000 {
		v += 13
		s.Record(v % 5000)
	}
	assert.Zero(t, testing.AllocsPerRun(1000, func() { v += 13; s.Record(v % 5000) }))
}

func BenchmarkStatRecord(b *testing.B) {
	for _, limit := range []int64{64, 5000, math.MaxInt32} {
		b.Run(fmt.Sprintf("below=%d", limit), func(b *testing.B) {
			s := newTree(b).Scope("a").Stat("b")
			b.ReportAllocs()
			v := uint32(1)
			for b.Loop() {
				v = v*1664525 + 1013904223
				s.Record(int64(v>>1) % limit)
			}
		})
	}
}

func BenchmarkStatRecordParallel(b *testing.B) {
	for _, limit := range []int64{1, 64, 5000} {
		b.Run(fmt.Sprintf("below=%d", limit), func(b *testing.B) {
			s := newTree(b).Scope("a").Stat("b")
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				v := int64(1)
				for pb.Next() {
					v++
					s.Record(v % limit)
				}
			})
		})
	}
}

func BenchmarkCloseWindow(b *testing.B) {
	tree := newTree(b)
	var stats []*telemetry.Stat
	for i := range 5000 {
		stats = append(stats, tree.Scope("rt", "http", fmt.Sprint(i)).Stat("s"))
	}
	b.ReportAllocs()
	for b.Loop() {
		for i, s := range stats[:1000] {
			s.Record(int64(i))
		}
		tree.CloseWindow()
	}
}
