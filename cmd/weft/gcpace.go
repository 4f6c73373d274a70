package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// gcRoom is how much garbage a proxy lets come together before it is collected. Its
// live heap is a few megabytes, of which Go's usual pace would collect a tenth of a
// second's garbage many times a second; larger heaps go at the usual pace.
const gcRoom = 16 << 20

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
	percent := 400
	if n := live[0].Value.Uint64(); n > 0 {
		percent = int(min(max(gcRoom*100/n, 100), 400)) //nolint:gosec // at most 400
	}
	if percent != now {
		debug.SetGCPercent(percent)
	}
	// The next collection finds that nobody needs this.
	runtime.AddCleanup(&struct{ self *int }{}, pace, percent)
}
