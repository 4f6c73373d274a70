package metricsdoc

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

// Undescribed returns the families of a tree's Prometheus page that have no help text of
// their own: none at all, or one that telemetry/prom has for whatever else is in a scope.
// Those begin with "About".
func Undescribed(tb testing.TB, tree *telemetry.Tree) []string {
	tb.Helper()
	var page bytes.Buffer
	require.NoError(tb, prom.Write(&page, tree, prom.Options{}))
	described := map[string]bool{}
	var families []string
	for l := range strings.Lines(page.String()) {
		if rest, ok := strings.CutPrefix(l, "# HELP "); ok {
			name, text, _ := strings.Cut(rest, " ")
			described[name] = !strings.HasPrefix(text, "About ") && !strings.HasPrefix(text, "A metric without")
		}
		if rest, ok := strings.CutPrefix(l, "# TYPE "); ok {
			name, _, _ := strings.Cut(rest, " ")
			families = append(families, name)
		}
	}
	require.NotEmpty(tb, families)
	return slices.DeleteFunc(families, func(f string) bool { return described[f] })
}
