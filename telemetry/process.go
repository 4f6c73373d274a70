package telemetry

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// processFresh is how long one reading of the runtime serves all gauges, so that a
// scrape reads it once.
const processFresh = time.Second

// RegisterProcess adds gauges about this process to s, which should be the root:
// those of jvm/ that dashboards made for Linkerd query, as far as Go has something
// to show for them, and process/ with Go's own. Start is when the process began;
// the zero time is now. A nil s is left alone.
func RegisterProcess(s *Scope, start time.Time) {
	if s == nil {
		return
	}
	if start.IsZero() {
		start = time.Now()
	}
	p := newProcess()
	gauge := func(at *Scope, name string, f func(*process) float64) {
		at.Gauge(name, func() float64 { return p.read(f) })
	}

	jvm := s.Scope("jvm")
	jvm.Gauge("start_time", func() float64 { return float64(start.UnixMilli()) })
	jvm.Gauge("uptime", func() float64 { return float64(time.Since(start).Milliseconds()) })
	jvm.Gauge("num_cpus", func() float64 { return float64(runtime.GOMAXPROCS(0)) })
	gauge(jvm.Scope("thread"), "count", func(p *process) float64 { return p.runtime(rtThreads) })
	heap := jvm.Scope("heap")
	gauge(heap, "used", func(p *process) float64 { return p.runtime(rtHeapObjects) })
	gauge(heap, "committed", (*process).heapCommitted)
	gauge(heap, "max", (*process).heapMax)
	gauge(jvm.Scope("mem", "current"), "used", (*process).memory)
	gauge(jvm.Scope("gc"), "cycles", func(p *process) float64 { return p.runtime(rtGCCycles) })
	gauge(jvm.Scope("gc"), "msec", func(p *process) float64 { return float64(p.gc.PauseTotal.Milliseconds()) })

	own := s.Scope("process")
	gauge(own, "goroutines", func(p *process) float64 { return p.runtime(rtGoroutines) })
	gauge(own, "gc_cpu_seconds", func(p *process) float64 { return p.runtime(rtGCCPU) })
	if _, ok := countFDs(); ok {
		gauge(jvm, "fd_count", func(p *process) float64 { return p.fds })
		gauge(own, "open_fds", func(p *process) float64 { return p.fds })
	}
	if _, ok := residentBytes(); ok {
		gauge(own, "resident_bytes", func(p *process) float64 { return p.resident })
	}
	if _, ok := cpuSeconds(); ok {
		gauge(own, "cpu_seconds", func(p *process) float64 { return p.cpu })
	}
}

// The places of the runtime's metrics in process.samples.
const (
	rtThreads = iota
	rtGoroutines
	rtHeapObjects
	rtHeapUnused
	rtHeapFree
	rtHeapReleased
	rtMemory
	rtMemoryLimit
	rtGCCycles
	rtGCCPU
)

// process is the latest reading of what the runtime and the kernel tell about
// this process.
type process struct {
	hostMemory float64 // what a process can have on this host, 0 if unknown

	mu       sync.Mutex
	at       time.Time
	samples  []metrics.Sample
	gc       debug.GCStats
	fds      float64
	resident float64
	cpu      float64
}

func newProcess() *process {
	return &process{
		hostMemory: hostMemory(),
		samples: []metrics.Sample{
			rtThreads:      {Name: "/sched/threads/total:threads"},
			rtGoroutines:   {Name: "/sched/goroutines:goroutines"},
			rtHeapObjects:  {Name: "/memory/classes/heap/objects:bytes"},
			rtHeapUnused:   {Name: "/memory/classes/heap/unused:bytes"},
			rtHeapFree:     {Name: "/memory/classes/heap/free:bytes"},
			rtHeapReleased: {Name: "/memory/classes/heap/released:bytes"},
			rtMemory:       {Name: "/memory/classes/total:bytes"},
			rtMemoryLimit:  {Name: "/gc/gomemlimit:bytes"},
			rtGCCycles:     {Name: "/gc/cycles/total:gc-cycles"},
			rtGCCPU:        {Name: "/cpu/classes/gc/total:cpu-seconds"},
		},
	}
}

// read returns f of a reading that is at most processFresh old.
func (p *process) read(f func(*process) float64) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.at.IsZero() || now.Sub(p.at) >= processFresh {
		p.at = now
		metrics.Read(p.samples)
		debug.ReadGCStats(&p.gc)
		p.fds, _ = countFDs()
		p.resident, _ = residentBytes()
		p.cpu, _ = cpuSeconds()
	}
	return f(p)
}

// runtime returns one of the runtime's metrics, 0 if this version of Go does not
// have it.
func (p *process) runtime(i int) float64 {
	switch v := p.samples[i].Value; v.Kind() {
	case metrics.KindUint64:
		return float64(v.Uint64())
	case metrics.KindFloat64:
		return v.Float64()
	default:
		return 0
	}
}

func (p *process) heapCommitted() float64 {
	return p.runtime(rtHeapObjects) + p.runtime(rtHeapUnused) + p.runtime(rtHeapFree)
}

// heapMax is what the heap may grow to: the soft limit of the runtime, else what
// the host has.
func (p *process) heapMax() float64 {
	limit := p.runtime(rtMemoryLimit)
	if limit >= math.MaxInt64 {
		limit = 0
	}
	switch {
	case limit == 0 && p.hostMemory == 0:
		return p.heapCommitted()
	case limit == 0 || p.hostMemory != 0 && p.hostMemory < limit:
		return p.hostMemory
	default:
		return limit
	}
}

func (p *process) memory() float64 { return p.runtime(rtMemory) - p.runtime(rtHeapReleased) }
