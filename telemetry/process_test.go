package telemetry_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

func gauges(tree *telemetry.Tree) map[string]float64 {
	all := map[string]float64{}
	for path, m := range tree.All() {
		name := ""
		for _, e := range path {
			name += "/" + e
		}
		all[name[1:]] = m.Float
	}
	return all
}

func TestRegisterProcess(t *testing.T) {
	tree := newTree(t)
	start := time.Now().Add(-time.Minute)
	telemetry.RegisterProcess(tree.Scope(), start)
	runtime.GC()
	got := gauges(tree)
	for _, name := range []string{
		"jvm/uptime", "jvm/start_time", "jvm/num_cpus", "jvm/thread/count", "jvm/heap/used", "jvm/heap/max",
		"jvm/heap/committed", "jvm/mem/current/used", "jvm/gc/cycles", "process/goroutines",
		"jvm/nonheap/used", "jvm/mem/postGC/used", "jvm/mem/allocations/eden/bytes", "jvm/application_time_millis",
		"process/threads", "process/heap_live_bytes", "process/alloc_objects", "process/stack_bytes", "process/heap_goal_bytes",
		"process/memory_limit_bytes", "process/gomaxprocs",
	} {
		assert.Positive(t, got[name], name)
	}
	assert.Contains(t, got, "jvm/gc/msec")
	assert.InDelta(t, 60_000, got["jvm/uptime"], 5_000, "milliseconds")
	assert.InDelta(t, start.UnixMilli(), got["jvm/start_time"], 1)
	assert.GreaterOrEqual(t, got["jvm/thread/peak_count"], got["jvm/thread/count"])
	assert.LessOrEqual(t, got["jvm/heap/used"], got["jvm/heap/committed"])
	assert.LessOrEqual(t, got["jvm/heap/committed"], got["jvm/heap/max"])
	if runtime.GOOS == "linux" {
		for _, name := range []string{"jvm/fd_count", "jvm/fd_limit", "process/open_fds", "process/max_fds", "process/resident_bytes"} {
			assert.Positive(t, got[name], name)
		}
		assert.Contains(t, got, "process/cpu_seconds")
	}
}

func TestProcessIsReadOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := telemetry.NewTree(telemetry.Options{Window: -1})
		telemetry.RegisterProcess(tree.Scope(), time.Time{})
		before := gauges(tree)
		runtime.GC()
		assert.InDelta(t, before["jvm/gc/cycles"], gauges(tree)["jvm/gc/cycles"], 0, "the same reading")
		time.Sleep(time.Second)
		after := gauges(tree)
		assert.Greater(t, after["jvm/gc/cycles"], before["jvm/gc/cycles"])
		assert.InDelta(t, 1000, after["jvm/uptime"], 0)
	})
}

// TestRuntimeHistograms: what happens between two readings is in the stats.
func TestRuntimeHistograms(t *testing.T) {
	tree := newTree(t)
	telemetry.RegisterProcess(tree.Scope(), time.Time{})
	gauges(tree)
	var pauses, latencies telemetry.Summary
	require.Eventually(t, func() bool {
		runtime.GC()
		gauges(tree)
		pauses = tree.Scope("process").Stat("gc_pause_us").Live()
		latencies = tree.Scope("process").Stat("sched_latency_us").Live()
		return pauses.Count > 0 && latencies.Count > 0
	}, 20*time.Second, 50*time.Millisecond)
	assert.GreaterOrEqual(t, pauses.Max, pauses.P50)
	assert.Less(t, pauses.Max, int64(10_000_000), "microseconds")
	assert.GreaterOrEqual(t, tree.Scope("jvm", "gc", "eden").Stat("pause_msec").Live().Count, pauses.Count)
}
