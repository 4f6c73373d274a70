package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// How much garbage a proxy lets come together before it is collected. The live heap is a
// few megabytes as a rule, of which Go's usual pace would collect a tenth of a second's
// garbage many times a second, so there is room for gcRoom. Larger heaps go at the usual
// pace up to gcLarge, which is also the room of those above, or gcLeast percent.
//
// With thousands of services the heap is metrics and stands still: above gcHuge there is room
// for gcQuiet, or gcQuietLeast percent, so that memory is what is needed, as long as a
// collection, which takes a quarter of a second there, comes less often than every gcOften.
const (
	gcRoom       = 16 << 20
	gcLarge      = 32 << 20
	gcLeast      = 15
	gcHuge       = 160 << 20
	gcQuiet      = 20 << 20
	gcQuietLeast = 7
	gcOften      = time.Second
)

// paceGC sets the pace of the garbage collector after every collection, unless the
// environment does. It ends with the process.
func paceGC() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	p := &pacer{}
	p.later = time.AfterFunc(gcOften, p.calm)
	p.collected()
}

// pacer sets the pace. It is safe for concurrent use.
type pacer struct {
	mu      sync.Mutex
	percent int         // that was set last
	last    time.Time   // collection
	later   *time.Timer // calls calm
}

// collected is called after a collection.
func (p *pacer) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	quiet := now.Sub(p.last) >= gcOften
	p.last = now
	p.set(quiet)
	if !quiet {
		p.later.Reset(gcOften)
	}
	// The next collection finds that nobody needs this.
	runtime.AddCleanup(&struct{ self *int }{}, (*pacer).collected, p)
}

// calm is called a while after a collection that was soon after another: the next one may be
// a long time from now.
func (p *pacer) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) >= gcOften {
		p.set(true)
	}
}

// set sets the pace for what is live now, if it is another one. It is called with mu held.
func (p *pacer) set(quiet bool) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if percent := percentOf(live[0].Value.Uint64(), quiet); percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
}

// percentOf is the pace for a live heap of that many bytes, as GOGC has it. Quiet says that
// the last collection was a while ago.
func percentOf(live uint64, quiet bool) int {
	switch {
	case live == 0:
		return 400
	case live > gcHuge && quiet:
		return int(max(gcQuiet*100/live, gcQuietLeast)) //nolint:gosec // 12 at most
	case live > gcLarge:
		return int(max(gcLarge*100/live, gcLeast)) //nolint:gosec // less than 100
	default:
		return int(min(max(gcRoom*100/live, 100), 400)) //nolint:gosec // at most 400
	}
}
