package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// recentRequest, recentTrace, … are what /requests.json shows. Times are RFC 3339,
// durations and times within a trace microseconds since the epoch.
type recentRequest struct {
	Time        time.Time `json:"time"`
	Source      string    `json:"source"`
	Server      string    `json:"server"`
	Router      string    `json:"router"`
	Logical     string    `json:"logical"`
	Concrete    string    `json:"concrete"`
	Destination string    `json:"destination"`
	Trace       string    `json:"trace"`
}

type recentTrace struct {
	ID    string       `json:"id"`
	Spans []recentSpan `json:"spans"`
}

type recentSpan struct {
	ID          string             `json:"id"`
	Parent      string             `json:"parent,omitempty"`
	Kind        string             `json:"kind"`
	Name        string             `json:"name"`
	StartUs     int64              `json:"startUs"`
	DurationUs  int64              `json:"durationUs"`
	Annotations []recentAnnotation `json:"annotations"`
	Tags        []recentTag        `json:"tags"`
}

type recentAnnotation struct {
	AtUs  int64  `json:"atUs"`
	Value string `json:"value"`
}

type recentTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// requestsJSON is the data of the page /requests.
func (x *site) requestsJSON(w http.ResponseWriter, _ *http.Request) {
	out := struct {
		Requests []recentRequest `json:"requests"`
		Traces   []recentTrace   `json:"traces"`
	}{[]recentRequest{}, []recentTrace{}}
	for _, q := range x.opts.Recent.Requests() {
		out.Requests = append(out.Requests, recentRequest{
			q.Time, q.Source, q.Server, q.Router, q.Logical, q.Concrete, q.Destination, traceID(q.Trace),
		})
	}
	for _, spans := range x.opts.Recent.Traces() {
		t := recentTrace{ID: traceID(spans[0].Trace), Spans: make([]recentSpan, len(spans))}
		for i := range spans {
			t.Spans[i] = newRecentSpan(&spans[i])
		}
		out.Traces = append(out.Traces, t)
	}
	writeJSON(w, typeJSON, out)
}

func newRecentSpan(s *telemetry.Span) recentSpan {
	r := recentSpan{
		ID: fmt.Sprintf("%016x", s.Trace.Span), Kind: s.Kind.String(), Name: s.Name,
		StartUs: s.Start.UnixMicro(), DurationUs: max(0, s.End.Sub(s.Start).Microseconds()),
		Annotations: make([]recentAnnotation, len(s.Annotations)), Tags: make([]recentTag, len(s.Tags)),
	}
	if s.Trace.HasParent() {
		r.Parent = fmt.Sprintf("%016x", s.Trace.Parent)
	}
	for i, a := range s.Annotations {
		r.Annotations[i] = recentAnnotation{a.Time.UnixMicro(), a.Value}
	}
	for i, t := range s.Tags {
		r.Tags[i] = recentTag(t)
	}
	return r
}

// traceID returns the id of a trace in hex, 16 digits or 32.
func traceID(t telemetry.Trace) string {
	if t.TraceHigh == 0 {
		return fmt.Sprintf("%016x", t.TraceLow)
	}
	return fmt.Sprintf("%016x%016x", t.TraceHigh, t.TraceLow)
}
