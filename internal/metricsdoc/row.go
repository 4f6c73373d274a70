package metricsdoc

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

// Row is a metric of docs/metrics.md.
type Row struct {
	Pattern []string // elements of the path; <…> is any one of them, a last … any number
	Kinds   string   // of c, g and s
	MadeBy  string   // what makes the metric: a test, or what else
}

var line = regexp.MustCompile("^\\| `([^`]+)` \\| ([cgs ]+) \\| .* \\| ([^|]+) \\|$")

// Read returns the rows of the page at file.
func Read(tb testing.TB, file string) []*Row {
	tb.Helper()
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	var rows []*Row
	for l := range strings.Lines(string(text)) {
		if m := line.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
			rows = append(rows, &Row{Pattern: strings.Split(m[1], "/"), Kinds: m[2], MadeBy: m[3]})
		}
	}
	require.Greater(tb, len(rows), 150, "the table was not understood")
	return rows
}

// Is reports whether the row is about a metric.
func (r *Row) Is(path []string, kind telemetry.Kind) bool {
	if !strings.Contains(r.Kinds, kind.String()[:1]) {
		return false
	}
	for i, p := range r.Pattern {
		switch {
		case p == "…":
			return len(path) > i
		case i >= len(path), p != path[i] && !strings.HasPrefix(p, "<"):
			return false
		}
	}
	return len(path) == len(r.Pattern)
}

// Paths returns metrics that the row is about: one for each way to fill its placeholders
// from values, the names of which are what stands between < and >, or one with the name
// itself for those that values does not have.
func (r *Row) Paths(values map[string][]string) [][]string {
	paths := [][]string{nil}
	for _, p := range r.Pattern {
		fill := []string{p}
		if strings.HasPrefix(p, "<") {
			if fill = values[strings.Trim(p, "<>")]; fill == nil {
				fill = []string{strings.Trim(p, "<>")}
			}
		}
		var longer [][]string
		for _, at := range paths {
			for _, v := range fill {
				longer = append(longer, append(slices.Clip(at), v))
			}
		}
		paths = longer
	}
	return paths
}
