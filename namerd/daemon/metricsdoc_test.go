package daemon_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/metricsdoc"
)

// madeHere says in docs/metrics.md that this test makes the metric.
const madeHere = "namerd's test"

// TestMetricsAreDocumented: every metric of a namerd is in docs/metrics.md and has a help
// text of its own for Prometheus, and a namerd has every metric that the page says it has.
func TestMetricsAreDocumented(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte("127.0.0.1 8080\n"), 0o600))
	d, addrs := serve(t, fmt.Sprintf(all, dir, dir))
	for _, path := range []string{"resolve/default?path=/svc/web", "delegate/default?path=/svc/web"} {
		status, body := get(t, plain(t), "http://"+addrs.Of("io.l5d.httpController")+"/api/1/"+path)
		require.Equal(t, http.StatusOK, status, body)
	}
	rows := metricsdoc.Read(t, "../../docs/metrics.md")
	seen := map[*metricsdoc.Row]bool{}
	for path, m := range d.Tree().All() {
		found := false
		for _, r := range rows {
			if r.Is(path, m.Kind) {
				seen[r], found = true, true
				break
			}
		}
		assert.True(t, found, "docs/metrics.md has no row for the %s %s", m.Kind, strings.Join(path, "/"))
	}
	for _, r := range rows {
		if r.MadeBy == madeHere {
			assert.True(t, seen[r], "docs/metrics.md says that this test makes a %s: %s", r.Kinds, strings.Join(r.Pattern, "/"))
		}
	}
	assert.Empty(t, metricsdoc.Undescribed(t, d.Tree()))
}
