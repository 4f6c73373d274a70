package proxy_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/internal/metricsdoc"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

const metricsPage = "../docs/metrics.md"

// madeHere says in that page that the tests of this file make the metric.
const madeHere = "test"

// TestMetricsAreDocumented: every metric that a proxy has is in docs/metrics.md, and the
// proxy has every metric that the page says it makes.
func TestMetricsAreDocumented(t *testing.T) {
	rows := metricsdoc.Read(t, metricsPage)
	seen := map[*metricsdoc.Row]bool{}
	eventful(t, func(m measured) {
		for path, v := range m.Tree().All() {
			found := false
			for _, r := range rows {
				if r.Is(path, v.Kind) {
					seen[r], found = true, true
					break
				}
			}
			assert.True(t, found, "docs/metrics.md has no row for the %s %s", v.Kind, strings.Join(path, "/"))
		}
	})
	for _, r := range rows {
		if r.MadeBy == madeHere {
			assert.True(t, seen[r], "docs/metrics.md says that this test makes a %s: %s", r.Kinds, strings.Join(r.Pattern, "/"))
		}
	}
}

// TestMetricsAreDescribed: no family of a proxy's Prometheus page makes do with the help
// text of its scope, or with none.
func TestMetricsAreDescribed(t *testing.T) {
	eventful(t, func(m measured) { assert.Empty(t, metricsdoc.Undescribed(t, m.Tree())) })
}

// TestDocumentedMetricsAreDescribed: the same for what these tests cannot make happen.
func TestDocumentedMetricsAreDescribed(t *testing.T) {
	tree := telemetry.NewTree(telemetry.Options{})
	t.Cleanup(func() { assert.NoError(t, tree.Close()) })
	values := map[string][]string{
		"status": {"200", "5XX", "error", "other", "UNAVAILABLE"}, "peer": {"local", "remote"}, "direction": {"request", "response"},
		"cache":    {"path", "tree", "bound", "client"},
		"gauge":    {"watches", "pending", "stale", "failed", "updates", "failures", "failing_for_s"},
		"question": {"bind", "addr", "delegate", "dtab"},
		"name":     {"p2c_least_loaded", "p2c_peak_ewma", "heap_least_loaded", "round_robin", "aperture_least_loaded", "aperture_peak_ewma"},
	}
	for _, r := range metricsdoc.Read(t, metricsPage) {
		if slices.Contains(r.Pattern, "<metric>") {
			continue // of unbound names: TestMetricsAreDescribed has them
		}
		for _, path := range r.Paths(values) {
			tree.Scope().Counter(path...).Inc()
		}
	}
	assert.Empty(t, metricsdoc.Undescribed(t, tree))
}

// eventful shows check proxies to which has happened what can happen, their window closed.
func eventful(t *testing.T, check func(measured)) {
	t.Helper()
	closed := func(m measured) {
		m.Tree().CloseWindow()
		check(m)
	}
	for _, protocol := range []string{"http", "h2"} {
		m := measure(t, protocol)
		var received, sent, dials atomic.Int64
		c := m.client(t, &received, &sent, &dials)
		for _, name := range []string{"ok", "bad", "flaky", "slow", "closed", "nowhere"} {
			path := map[string]string{"bad": "/bad", "flaky": "/flaky", "slow": "/hang"}[name]
			method := "POST"
			if name == "flaky" { // that is retried
				method = "GET"
			}
			do(t, c, method, name, path, "body")
		}
		now := time.Now()
		deadline := propagation.Deadline{Timestamp: now, At: now.Add(time.Minute)}
		do(t, c, "GET", "local", "/", "", "l5d-dtab", "/neg => /ok", "l5d-ctx-deadline", deadline.String())
		m.leave(t, c)
		m.settled(t, 8)
		m.closed(t, c)
		closed(m)
	}
	closed(tlsRouter(t))
}
