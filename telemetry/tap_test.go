package telemetry_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/telemetry"
)

func TestSampleStats(t *testing.T) {
	tree := newTree(t)
	before := tree.Scope("a", "b/c").Stat("early")
	before.Record(1)
	sums := map[string]*atomic.Int64{}
	counts := map[string]int{}
	stop := tree.SampleStats(1, func(path []string) func(int64) {
		name := strings.Join(path, "|")
		sums[name] = new(atomic.Int64)
		counts[name]++
		return func(v int64) { sums[name].Add(v) }
	})
	late := tree.Scope("a").Stat("late")
	before.Record(20)
	late.Record(-3)
	assert.Equal(t, int64(20), sums["a|b/c|early"].Load(), "what was recorded before is not told")
	assert.Equal(t, int64(-3), sums["a|late"].Load(), "as it is")
	tree.Scope("a").Stat("late").Record(1)
	assert.Equal(t, map[string]int{"a|b/c|early": 1, "a|late": 1}, counts)

	var second atomic.Int64
	stopSecond := tree.SampleStats(0.25, func([]string) func(int64) { return func(int64) { second.Add(1) } })
	tree.SampleStats(0, func([]string) func(int64) { t.Error("nobody asked"); return nil })()
	for range 40_000 {
		late.Record(0)
	}
	assert.InDelta(t, 10_000, second.Load(), 600) // seven standard deviations
	stop()
	late.Record(100)
	assert.Equal(t, int64(-2), sums["a|late"].Load())
	stopSecond()
	n := second.Load()
	for range 1000 {
		late.Record(0)
	}
	assert.Equal(t, n, second.Load())
	(*telemetry.Stat)(nil).Record(1)
}

func BenchmarkStatRecordSampled(b *testing.B) {
	for name, share := range map[string]float64{"none": 0, "1%": 0.01} {
		b.Run(name, func(b *testing.B) {
			tree := newTree(b)
			var n atomic.Int64
			defer tree.SampleStats(share, func([]string) func(int64) { return func(int64) { n.Add(1) } })()
			s := tree.Scope().Stat("x")
			b.ReportAllocs()
			for b.Loop() {
				s.Record(7)
			}
		})
	}
}
