package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Tables are those of a document.
func Tables() []Table {
	var (
		weft = "weft"
		to   = []string{"nginx", "haproxy"}
	)
	return []Table{
		{Section: "h1", Metric: CPU, Title: "HTTP/1.1: CPU µs per request", Ratio: weft, To: to},
		{Section: "h1", Metric: Rate, Title: "HTTP/1.1: requests per second", Format: "%.0f", Brief: true},
		{Section: "h2", Metric: CPU, Title: "HTTP/2: CPU µs per request", Ratio: weft, To: to},
		{Section: "h2", Metric: Rate, Title: "HTTP/2: requests per second", Format: "%.0f", Brief: true},
		{Section: "grpc", Metric: CPU, Title: "gRPC: CPU µs per call or message", Ratio: weft, To: to},
		{Section: "grpc", Metric: Rate, Title: "gRPC: calls or messages per second", Format: "%.0f", Brief: true},
		{Section: "latency", Metric: P50, Title: "Latency at fixed rates: p50, µs", Format: "%.0f"},
		{Section: "latency", Metric: P99, Title: "Latency at fixed rates: p99, µs", Format: "%.0f", Ratio: weft, To: to, Brief: true},
		{Section: "latency", Metric: P999, Title: "Latency at fixed rates: p99.9, µs", Format: "%.0f", Ratio: weft, To: to, Brief: true},
		{Section: "latency", Metric: CPU, Title: "CPU µs per request at fixed rates", Ratio: weft, To: to, Brief: true},
		{Section: "idle", Metric: PerIdle, Title: "Memory per idle connection: kB of RSS", Ratio: weft, To: to},
		{Section: "inprocess", Metric: CPU, Title: "In-process: CPU µs per request", Ratio: "mesh", To: []string{"plain"}},
		{Section: "inprocess", Metric: Allocs, Title: "In-process: allocations per request", Format: "%.0f", Brief: true},
	}
}

// Markdown writes the report.
func Markdown(w io.Writer, r *Report) {
	fmt.Fprintf(w, "Measured %s with `%s` in %.0f minutes; rounds: %d (tables show their medians), seconds per measurement: %g.\n\n", r.Date, r.Command, r.Minutes, r.Rounds, r.Seconds)
	for _, m := range r.Machine {
		fmt.Fprintf(w, "- %s\n", m)
	}
	var present, missing []string
	for _, e := range r.Entrants {
		if e.Missing != "" {
			missing = append(missing, fmt.Sprintf("%s (%s)", e.Name, e.Missing))
			continue
		}
		name := e.Name
		if e.Version != "" {
			name += " (" + e.Version + ")"
		}
		present = append(present, name)
	}
	fmt.Fprintf(w, "- Contenders: %s\n", strings.Join(present, "; "))
	if len(missing) > 0 {
		fmt.Fprintf(w, "- Missing: %s\n", strings.Join(missing, "; "))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "- %s\n", n)
	}
	fmt.Fprintln(w)
	for _, t := range Tables() {
		t.Write(w, r)
	}
}

// The lines of a document between which Insert puts its text.
const (
	begin = "<!-- bench-wire: generated from here -->"
	end   = "<!-- bench-wire: to here -->"
)

// Insert replaces what stands between the two marks of a document.
func Insert(doc, text string) (string, error) {
	before, rest, ok1 := strings.Cut(doc, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", errors.New("report: the document lacks the lines " + begin + " and " + end)
	}
	return before + begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}

// Compare writes the medians of a metric in two reports side by side, with the ratio,
// for everything that both have measured.
func Compare(w io.Writer, old, now *Report, metric string) {
	fmt.Fprintf(w, "| %s | %s | %s | ratio |\n|---|---:|---:|---:|\n", metric, old.Date, now.Date)
	for _, s := range now.Series {
		a, ok := old.Value(s.Section, s.Cell, s.Entrant, metric)
		b, here := now.Value(s.Section, s.Cell, s.Entrant, metric)
		if ok && here && a > 0 {
			fmt.Fprintf(w, "| %s, %s, %s | %.1f | %.1f | %.2f |\n", s.Section, s.Cell, s.Entrant, a, b, b/a)
		}
	}
}
