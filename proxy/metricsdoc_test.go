package proxy_test

import (
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// docRow is a metric of docs/metrics.md.
type docRow struct {
	pattern []string
	kinds   string
	tested  bool
	seen    bool
}

var docLine = regexp.MustCompile("^\\| `([^`]+)` \\| ([cgs ]+) \\| .* \\| ([^|]+) \\|$")

func docRows(t *testing.T) []*docRow {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	var rows []*docRow
	for line := range strings.Lines(string(text)) {
		if m := docLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			rows = append(rows, &docRow{pattern: strings.Split(m[1], "/"), kinds: m[2], tested: m[3] == "test"})
		}
	}
	require.Greater(t, len(rows), 150, "the table was not understood")
	return rows
}

// is reports whether the row is about a metric.
func (r *docRow) is(path []string, kind telemetry.Kind) bool {
	if !strings.Contains(r.kinds, kind.String()[:1]) {
		return false
	}
	for i, p := range r.pattern {
		switch {
		case p == "…":
			return len(path) > i
		case i >= len(path), p != path[i] && !strings.HasPrefix(p, "<"):
			return false
		}
	}
	return len(path) == len(r.pattern)
}

// TestMetricsAreDocumented: every metric that a proxy has is in docs/metrics.md, and the
// proxy has every metric that the page says it makes.
func TestMetricsAreDocumented(t *testing.T) {
	rows := docRows(t)
	compare := func(m measured) {
		m.Tree().CloseWindow()
		for path, v := range m.Tree().All() {
			found := false
			for _, r := range rows {
				if r.is(path, v.Kind) {
					r.seen, found = true, true
					break
				}
			}
			assert.True(t, found, "docs/metrics.md has no row for the %s %s", v.Kind, strings.Join(path, "/"))
		}
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
		require.Eventually(t, func() bool {
			c.CloseIdleConnections() // again, since the client's stream may end after the server's
			return m.under("rt", protocol, "server", "127.0.0.1/0")["connections"] == 0
		}, 10*time.Second, 5*time.Millisecond)
		compare(m)
	}
	compare(tlsRouter(t))
	for _, r := range rows {
		if r.tested {
			assert.True(t, r.seen, "docs/metrics.md says that this test makes a %s: %s", r.kinds, strings.Join(r.pattern, "/"))
		}
	}
}
