package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage a proxy lets come together before it is collected. The live heap is a
// few megabytes as a rule, of which Go's usual pace would collect a tenth of a second's
// garbage many times a second, so there is room for gcRoom. Larger heaps go at the usual
// pace up to gcLarge, which is also the room of those above, or gcLeast percent of them: with
// thousands of services the heap is metrics, and twice as much memory would buy little.
const (
	gcRoom  = 16 << 20
	gcLarge = 32 << 20
	gcLeast = 15
)

// paceGC sets the pace of the garbage collector after every collection, unless the
// environment does. It ends with the process.
func paceGC() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	pace(0)
}

// pace sets the pace if it is not the one given.
func pace(now int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := percentOf(live[0].Value.Uint64())
	if percent != now {
		debug.SetGCPercent(percent)
	}
	// The next collection finds that nobody needs this.
	runtime.AddCleanup(&struct{ self *int }{}, pace, percent)
}

// percentOf is the pace for a live heap of that many bytes, as GOGC has it.
func percentOf(live uint64) int {
	switch {
	case live == 0:
		return 400
	case live > gcLarge:
		return int(max(gcLarge*100/live, gcLeast)) //nolint:gosec // less than 100
	default:
		return int(min(max(gcRoom*100/live, 100), 400)) //nolint:gosec // at most 400
	}
}
