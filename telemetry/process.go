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
//
// The stats among them get their values when somebody reads the gauges.
func RegisterProcess(s *Scope, start time.Time) {
	if s == nil {
		return
	}
	if start.IsZero() {
		start = time.Now()
	}
	p := newProcess(start)
	p.jvm(s.Scope("jvm"))
	p.own(s.Scope("process"))
}

// gauge makes f of the latest reading a gauge.
func (p *process) gauge(at *Scope, name string, f func(*process) float64) {
	at.Gauge(name, func() float64 { return p.read(f) })
}

// jvm adds what Linkerd's dashboards query.
func (p *process) jvm(s *Scope) {
	start := p.start
	s.Gauge("start_time", func() float64 { return float64(start.UnixMilli()) })
	s.Gauge("uptime", func() float64 { return float64(time.Since(start).Milliseconds()) })
	s.Gauge("num_cpus", func() float64 { return float64(runtime.GOMAXPROCS(0)) })
	p.gauge(s, "application_time_millis", func(p *process) float64 {
		return float64((p.at.Sub(start) - p.gc.PauseTotal).Milliseconds())
	})
	threads := s.Scope("thread")
	p.gauge(threads, "count", value(rtThreads))
	p.gauge(threads, "peak_count", func(p *process) float64 { return p.peakThreads })
	heap := s.Scope("heap")
	p.gauge(heap, "used", value(rtHeapObjects))
	p.gauge(heap, "committed", (*process).heapCommitted)
	p.gauge(heap, "max", (*process).heapMax)
	other := s.Scope("nonheap")
	p.gauge(other, "used", (*process).nonHeap)
	p.gauge(other, "committed", (*process).nonHeap) // Go tells only what it has, not what of that is in use
	p.gauge(s.Scope("mem", "current"), "used", (*process).memory)
	p.gauge(s.Scope("mem", "postGC"), "used", value(rtHeapLive))
	p.gauge(s.Scope("mem", "allocations", "eden"), "bytes", value(rtAllocBytes))
	gc := s.Scope("gc")
	p.gauge(gc, "cycles", value(rtGCCycles))
	p.gauge(gc, "msec", func(p *process) float64 { return float64(p.gc.PauseTotal.Milliseconds()) })
	p.pauses.millis = gc.Stat("eden", "pause_msec")
	if _, ok := countFDs(); ok {
		p.gauge(s, "fd_count", func(p *process) float64 { return p.fds })
	}
	if limit, ok := fdLimit(); ok {
		s.Gauge("fd_limit", func() float64 { return limit })
	}
}

// own adds what is Go's.
func (p *process) own(s *Scope) {
	for _, g := range []struct {
		name string
		at   int
	}{
		{"goroutines", rtGoroutines},
		{"threads", rtThreads},
		{"gc_cpu_seconds", rtGCCPU},
		{"gc_cycles", rtGCCycles},
		{"heap_bytes", rtHeapObjects},
		{"heap_live_bytes", rtHeapLive},
		{"heap_goal_bytes", rtHeapGoal},
		{"heap_objects", rtHeapCount},
		{"heap_released_bytes", rtHeapReleased},
		{"alloc_bytes", rtAllocBytes},
		{"alloc_objects", rtAllocCount},
		{"stack_bytes", rtStacks},
		{"memory_bytes", rtMemory},
		{"mutex_wait_seconds", rtMutexWait},
	} {
		p.gauge(s, g.name, value(g.at))
	}
	p.gauge(s, "memory_limit_bytes", (*process).heapMax)
	s.Gauge("gomaxprocs", func() float64 { return float64(runtime.GOMAXPROCS(0)) })
	p.pauses.micros = s.Stat("gc_pause_us")
	p.latencies.micros = s.Stat("sched_latency_us")
	if _, ok := countFDs(); ok {
		p.gauge(s, "open_fds", func(p *process) float64 { return p.fds })
	}
	if limit, ok := fdLimit(); ok {
		s.Gauge("max_fds", func() float64 { return limit })
	}
	if _, ok := residentBytes(); ok {
		p.gauge(s, "resident_bytes", func(p *process) float64 { return p.resident })
	}
	if _, ok := cpuSeconds(); ok {
		p.gauge(s, "cpu_seconds", func(p *process) float64 { return p.cpu })
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
	rtHeapLive
	rtHeapGoal
	rtHeapCount
	rtAllocBytes
	rtAllocCount
	rtStacks
	rtMemory
	rtMemoryLimit
	rtGCCycles
	rtGCCPU
	rtMutexWait
	rtPauses
	rtLatencies
)

// process is the latest reading of what the runtime and the kernel tell about
// this process.
type process struct {
	start      time.Time
	hostMemory float64 // what a process can have on this host, 0 if unknown

	mu          sync.Mutex
	at          time.Time
	samples     []metrics.Sample
	gc          debug.GCStats
	fds         float64
	resident    float64
	cpu         float64
	peakThreads float64 // of all readings

	pauses, latencies runtimeStats
}

func newProcess(start time.Time) *process {
	return &process{
		start:      start,
		hostMemory: hostMemory(),
		samples: []metrics.Sample{
			rtThreads:      {Name: "/sched/threads/total:threads"},
			rtGoroutines:   {Name: "/sched/goroutines:goroutines"},
			rtHeapObjects:  {Name: "/memory/classes/heap/objects:bytes"},
			rtHeapUnused:   {Name: "/memory/classes/heap/unused:bytes"},
			rtHeapFree:     {Name: "/memory/classes/heap/free:bytes"},
			rtHeapReleased: {Name: "/memory/classes/heap/released:bytes"},
			rtHeapLive:     {Name: "/gc/heap/live:bytes"},
			rtHeapGoal:     {Name: "/gc/heap/goal:bytes"},
			rtHeapCount:    {Name: "/gc/heap/objects:objects"},
			rtAllocBytes:   {Name: "/gc/heap/allocs:bytes"},
			rtAllocCount:   {Name: "/gc/heap/allocs:objects"},
			rtStacks:       {Name: "/memory/classes/heap/stacks:bytes"},
			rtMemory:       {Name: "/memory/classes/total:bytes"},
			rtMemoryLimit:  {Name: "/gc/gomemlimit:bytes"},
			rtGCCycles:     {Name: "/gc/cycles/total:gc-cycles"},
			rtGCCPU:        {Name: "/cpu/classes/gc/total:cpu-seconds"},
			rtMutexWait:    {Name: "/sync/mutex/wait/total:seconds"},
			rtPauses:       {Name: "/sched/pauses/total/gc:seconds"},
			rtLatencies:    {Name: "/sched/latencies:seconds"},
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
		p.peakThreads = max(p.peakThreads, p.runtime(rtThreads))
		p.pauses.add(p.samples[rtPauses].Value)
		p.latencies.add(p.samples[rtLatencies].Value)
	}
	return f(p)
}

// value returns what reads one of the runtime's metrics.
func value(i int) func(*process) float64 {
	return func(p *process) float64 { return p.runtime(i) }
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

// nonHeap is stacks and what the runtime needs for itself.
func (p *process) nonHeap() float64 { return p.memory() - p.heapCommitted() }
