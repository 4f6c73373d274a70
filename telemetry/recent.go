package telemetry

import (
	"slices"
	"sync"
	"time"
)

// The bounds of a Recent tracer.
const (
	DefaultRecent = 10 // traces
	maxSpans      = 64 // of one trace: a client may send the same id for ever
)

// Recent is a Tracer that keeps the spans of the latest traces, for the /requests
// page. It is safe for concurrent use.
type Recent struct {
	mu     sync.Mutex
	traces []recentTrace // a ring, written at next
	next   int
	index  map[recentKey]int
}

type recentKey struct{ high, low uint64 }

type recentTrace struct {
	key   recentKey
	spans []Span
}

// NewRecent returns a tracer that keeps the given number of traces, DefaultRecent
// if that is not positive.
func NewRecent(capacity int) *Recent {
	if capacity <= 0 {
		capacity = DefaultRecent
	}
	return &Recent{traces: make([]recentTrace, capacity), index: make(map[recentKey]int, capacity)}
}

// Record implements Tracer. A trace beyond the capacity replaces the oldest one.
func (r *Recent) Record(s Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := recentKey{s.Trace.TraceHigh, s.Trace.TraceLow}
	at, ok := r.index[key]
	if !ok {
		at = r.next
		r.next = (r.next + 1) % len(r.traces)
		if old := &r.traces[at]; old.spans != nil {
			delete(r.index, old.key)
		}
		r.traces[at] = recentTrace{key: key}
		r.index[key] = at
	}
	if t := &r.traces[at]; len(t.spans) < maxSpans {
		t.spans = append(t.spans, s)
	}
}

// Traces returns the spans that are kept, the newest trace first and the spans of
// each in the order in which they ended. They must not be written to.
func (r *Recent) Traces() [][]Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [][]Span
	for i := range r.traces {
		at := (r.next - 1 - i + 2*len(r.traces)) % len(r.traces)
		if spans := r.traces[at].spans; len(spans) > 0 {
			all = append(all, slices.Clone(spans))
		}
	}
	return all
}

// RecentRequest is a row of the /requests page: a request that came in at a
// server and went out to an endpoint.
type RecentRequest struct {
	Time        time.Time
	Source      string // address of the caller
	Server      string // address it came in at
	Router      string // label
	Logical     string // name, as identified
	Concrete    string // name, as bound
	Destination string // address of the endpoint
	Trace       Trace  // of the span in which it came in
}

// Requests returns the requests of the traces that are kept, newest first. Those
// that never reached an endpoint are left out, and one that did so several times
// shows the last one.
func (r *Recent) Requests() []RecentRequest {
	var rows []RecentRequest
	for _, spans := range r.Traces() {
		for i := range spans {
			if row, ok := request(&spans[i], spans); ok {
				rows = append(rows, row)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b RecentRequest) int { return b.Time.Compare(a.Time) })
	return rows
}

// request makes a row of s if it is a server span with all that a row needs.
func request(s *Span, spans []Span) (RecentRequest, bool) {
	row := RecentRequest{
		Time:     s.Start,
		Source:   s.Lookup(TagClientAddr),
		Server:   s.Lookup(TagServerAddr),
		Router:   s.Lookup(TagRouterLabel),
		Logical:  s.Lookup(TagService),
		Concrete: s.Lookup(TagClient),
		Trace:    s.Trace,
	}
	if row.Source == "" || row.Server == "" || row.Router == "" || row.Logical == "" || row.Concrete == "" {
		return row, false
	}
	for i := range spans {
		if c := &spans[i]; c.Trace.Parent == s.Trace.Span && c.Trace.Span != s.Trace.Span {
			if addr := c.Lookup(TagServerAddr); addr != "" {
				row.Destination = addr
			}
		}
	}
	return row, row.Destination != ""
}
