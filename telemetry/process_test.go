package telemetry_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

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
	} {
		assert.Positive(t, got[name], name)
	}
	assert.Contains(t, got, "jvm/gc/msec")
	assert.InDelta(t, 60_000, got["jvm/uptime"], 5_000, "milliseconds")
	assert.InDelta(t, start.UnixMilli(), got["jvm/start_time"], 1)
	assert.LessOrEqual(t, got["jvm/heap/used"], got["jvm/heap/committed"])
	assert.LessOrEqual(t, got["jvm/heap/committed"], got["jvm/heap/max"])
	if runtime.GOOS == "linux" {
		for _, name := range []string{"jvm/fd_count", "process/open_fds", "process/resident_bytes"} {
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
