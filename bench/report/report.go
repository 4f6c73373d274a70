package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// The metrics of a Series.
const (
	CPU       = "cpu_us"    // microseconds of CPU per request, or per operation
	Rate      = "rps"       // requests per second
	P50       = "p50_us"    // latencies, in microseconds
	P99       = "p99_us"    //
	P999      = "p999_us"   //
	Errors    = "errors"    // requests that failed
	RSS       = "rss_mb"    // resident memory after the load, in MB
	PerIdle   = "idle_kb"   // resident memory per idle connection, in kB
	Allocs    = "allocs_op" // allocations per operation
	Bytes     = "bytes_op"  // bytes allocated per operation
	WallNanos = "ns_op"     // nanoseconds per operation
)

// Report is one run.
type Report struct {
	Date     string
	Command  string
	Machine  []string // lines that describe it
	Rounds   int
	Seconds  float64 // of each measurement
	Minutes  float64 // that the run took
	Entrants []Entrant
	Series   []*Series
	Notes    []string // what went wrong
}

// Entrant is a contender.
type Entrant struct {
	Name    string
	Version string
	Missing string `json:",omitempty"` // why it did not take part, if it did not
}

// Series is what one contender showed in one cell: one value per round for each
// metric.
type Series struct {
	Section, Cell, Entrant string
	Values                 map[string][]float64 `json:",omitempty"`
	Missing                string               `json:",omitempty"` // why there are no values
}

// Add appends the values of a round.
func (r *Report) Add(section, cell, entrant string, values map[string]float64) {
	s := r.series(section, cell, entrant)
	for k, v := range values {
		s.Values[k] = append(s.Values[k], v)
	}
}

// Miss tells that a contender has no values in a cell, and why.
func (r *Report) Miss(section, cell, entrant, why string) {
	r.series(section, cell, entrant).Missing = why
}

func (r *Report) series(section, cell, entrant string) *Series {
	if s := r.find(section, cell, entrant); s != nil {
		return s
	}
	s := &Series{Section: section, Cell: cell, Entrant: entrant, Values: map[string][]float64{}}
	r.Series = append(r.Series, s)
	return s
}

func (r *Report) find(section, cell, entrant string) *Series {
	for _, s := range r.Series {
		if s.Section == section && s.Cell == cell && s.Entrant == entrant {
			return s
		}
	}
	return nil
}

// Value returns the median of a metric over the rounds, and whether there is one.
func (r *Report) Value(section, cell, entrant, metric string) (float64, bool) {
	s := r.find(section, cell, entrant)
	if s == nil || len(s.Values[metric]) == 0 {
		return 0, false
	}
	return Median(s.Values[metric]), true
}

// cells returns the cells of a section in the order in which they were measured.
func (r *Report) cells(section string) []string {
	var all []string
	for _, s := range r.Series {
		if s.Section == section && !slices.Contains(all, s.Cell) {
			all = append(all, s.Cell)
		}
	}
	return all
}

// entrants returns those who take part in a section, in the order of Entrants; those
// that Entrants does not know come last.
func (r *Report) entrants(section string) []string {
	var here, all []string
	for _, s := range r.Series {
		if s.Section == section && !slices.Contains(here, s.Entrant) {
			here = append(here, s.Entrant)
		}
	}
	for _, e := range r.Entrants {
		if slices.Contains(here, e.Name) {
			all = append(all, e.Name)
		}
	}
	for _, name := range here {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Write writes the report as JSON.
func (r *Report) Write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// Read reads a report that Write has written.
func Read(file string) (*Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("report: %s: %w", file, err)
	}
	return r, nil
}
