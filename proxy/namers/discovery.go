package namers

import (
	"sync"
	"time"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// Discovery is what one namer or interpreter watches.
type Discovery struct {
	// Name is the namer's prefix, such as /#/io.l5d.k8s, or "interpreter of" and the
	// label of the router. Kind is the kind in the configuration.
	Name, Kind string

	reporter naming.Reporter
}

// Watches returns what it watches, and what it knows.
func (d Discovery) Watches() []naming.WatchStatus { return d.reporter.Watches() }

// Discovery returns the namers and interpreters that follow the outside world, in
// the order of the configuration.
func (s *Set) Discovery() []Discovery { return s.discovery }

// Report notes a namer, an interpreter or another part that can tell what it
// watches, and gives it metrics in scope. What cannot tell is passed over.
func (s *Set) Report(name, kind string, made any, scope *telemetry.Scope) {
	r, ok := made.(naming.Reporter)
	if !ok {
		return
	}
	s.discovery = append(s.discovery, Discovery{Name: name, Kind: kind, reporter: r})
	h := &health{reporter: r}
	gauge := func(name string, of func(tally) float64) { scope.Gauge(name, func() float64 { return of(h.now()) }) }
	gauge("watches", func(t tally) float64 { return float64(t.watches) })
	gauge("pending", func(t tally) float64 { return float64(t.pending) })
	gauge("stale", func(t tally) float64 { return float64(t.stale) })
	gauge("failed", func(t tally) float64 { return float64(t.failed) })
	gauge("updates", func(t tally) float64 { return float64(t.updates) })
	gauge("failures", func(t tally) float64 { return float64(t.failures) })
	gauge("failing_for_s", func(t tally) float64 { return t.failingFor.Seconds() })
}

// tally is the watches of a reporter, counted.
type tally struct {
	watches, pending, stale, failed int
	updates, failures               uint64
	failingFor                      time.Duration // of the watch that has been failing longest
}

// health tallies for all gauges of a reporter at once, as they are read together.
type health struct {
	reporter naming.Reporter

	mu   sync.Mutex
	at   time.Time
	last tally
}

func (h *health) now() tally {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if now.Sub(h.at) < 100*time.Millisecond {
		return h.last
	}
	t := tally{}
	for _, w := range h.reporter.Watches() {
		t.watches++
		t.updates += w.Updates
		t.failures += w.Failures
		switch {
		case w.Pending():
			t.pending++
		case w.Err != nil && w.Known:
			t.stale++
		case w.Err != nil:
			t.failed++
		}
		if w.Err != nil {
			t.failingFor = max(t.failingFor, now.Sub(w.ErrSince))
		}
	}
	h.at, h.last = now, t
	return t
}
