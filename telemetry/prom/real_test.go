package prom_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/testtool"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

// proxyTree is a tree as a proxy has it.
func proxyTree(t *testing.T) *telemetry.Tree {
	t.Helper()
	tree := newTree(t)
	client := tree.Scope("rt", "http", "client", `#/io.l5d.fs/web"\`)
	client.Counter("requests").Add(7)
	client.UpDown("pending").Add(2)
	telemetry.NewFailures(client, telemetry.FailuresOptions{}).Record("com.example.Outer", "com.example.Cause")
	for _, window := range [][]int64{{1, 2, 3}, {10, 20, 30, 0}} {
		for _, v := range window {
			client.Stat("request_latency_ms").Record(v)
		}
		tree.CloseWindow()
	}
	client.Stat("request_latency_ms").Record(1000)
	telemetry.RegisterProcess(tree.Scope(), time.Unix(1e9, 0))
	return tree
}

// TestPromtool: promtool finds nothing wrong with the text but the names, which are the
// original's.
func TestPromtool(t *testing.T) {
	promtool := testtool.Installed(t, "promtool", "prometheus")
	for name, o := range map[string]prom.Options{
		"text": {}, "classic histograms": {ClassicHistograms: true, Prefix: "linkerd_"}, "the original's": {Compatible: true},
	} {
		t.Run(name, func(t *testing.T) {
			var stdin, out bytes.Buffer
			require.NoError(t, prom.Write(&stdin, proxyTree(t), o))
			cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = &stdin, &out, &out
			err := cmd.Run()
			if err != nil && cmd.ProcessState.ExitCode() != 3 { // 3: it parsed, and there are remarks
				t.Fatalf("%v: %s", err, out.String())
			}
			for line := range strings.Lines(out.String()) {
				known := strings.Contains(line, "metric names should not contain ':'") ||
					strings.Contains(line, `counter metrics should have "_total" suffix`) ||
					strings.Contains(line, "metric names should not contain abbreviated units") ||
					strings.Contains(line, "use base unit") ||
					strings.Contains(line, "camelCase") ||
					o.Compatible && strings.Contains(line, "no help text") ||
					strings.Contains(line, "non-histogram and non-summary") ||
					o.ClassicHistograms && strings.Contains(line, "should not include type 'histogram'")
				assert.True(t, known, line)
			}
		})
	}
}

// TestPrometheus: a real Prometheus has the values of every format.
func TestPrometheus(t *testing.T) {
	tree := proxyTree(t)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, err := prom.Options{}.Negotiate(r.Header.Values("Accept"), r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", o.ContentType())
		w.Header().Set("X-Format", fmt.Sprint(o.Format))
		_ = prom.Write(w, tree, o)
	}))
	defer target.Close()
	addr := strings.TrimPrefix(target.URL, "http://")
	var config strings.Builder
	config.WriteString("global: {scrape_interval: 1s}\nscrape_configs:\n")
	for job, params := range map[string]string{
		"default": "", "text": "format: [text]", "classic": "format: [text], histograms: [classic]",
		"openmetrics": "format: [openmetrics], histograms: [classic]", "linkerd": "format: [linkerd]",
	} {
		fmt.Fprintf(&config, "- {job_name: %s, params: {%s}, static_configs: [{targets: ['%s']}]}\n", job, params, addr)
	}
	s := servers.StartPrometheus(t, servers.PrometheusOptions{Config: config.String(), Features: []string{"native-histograms"}})
	s.AwaitScrapes(5)
	const client = `rt="http",client="#/io.l5d.fs/web\"\\"`
	for _, job := range []string{"default", "text", "classic", "openmetrics"} {
		value := func(name, more string) float64 {
			return s.Value(fmt.Sprintf("%s{job=%q,%s%s}", name, job, client, more))
		}
		requests := "rt:client:requests"
		if job == "openmetrics" {
			requests += "_total"
		}
		assert.InDelta(t, 7, value(requests, ""), 0, job)
		assert.InDelta(t, 2, value("rt:client:pending", ""), 0, job)
		assert.InDelta(t, 8, value("rt:client:request_latency_ms_count", ""), 0, "%s: all windows", job)
		assert.InDelta(t, 1066, value("rt:client:request_latency_ms_sum", ""), 0, job)
		assert.InDelta(t, 15, value("rt:client:request_latency_ms_avg", ""), 0, "%s: the last window", job)
		assert.InDelta(t, 30, value("rt:client:request_latency_ms", `,quantile="0.99"`), 0, job)
		assert.Len(t, s.Query(fmt.Sprintf("rt:client:request_latency_ms{job=%q}", job)), 8, job)
		assert.Positive(t, s.Value(fmt.Sprintf("jvm:uptime{job=%q}", job)))
	}
	assert.InDelta(t, 3, s.Value(`rt:client:request_latency_ms_count{job="linkerd"} - 1`), 0, "windows are the original's")

	// The default of a Prometheus that takes native histograms is protobuf.
	native := s.Query(`rt:client:request_latency_ms_histogram{job="default"}`)
	require.Len(t, native, 1)
	h := native[0].Histogram
	require.NotNil(t, h)
	assert.InDelta(t, 8, h.Count, 0)
	assert.InDelta(t, 1066, h.Sum, 0)
	require.NotEmpty(t, h.Buckets)
	last := h.Buckets[len(h.Buckets)-1]
	assert.True(t, last.Lower < 1000 && last.Upper >= 1000 && last.Upper < 1050, "%+v", last)
	assert.InEpsilon(t, 10, s.Value(`histogram_quantile(0.6, rt:client:request_latency_ms_histogram{job="default"})`), 0.05)
	assert.Empty(t, s.Query(`rt:client:request_latency_ms_histogram_bucket{job="default"}`))
	for _, job := range []string{"classic", "openmetrics"} {
		assert.InDelta(t, 4, s.Value(fmt.Sprintf(`sum(rt:client:request_latency_ms_histogram_bucket{job=%q,le=~"4|4.0"})`, job)), 0, job)
	}

	var meta map[string][]struct{ Type, Help string }
	s.API("metadata", &meta)
	require.NotEmpty(t, meta["rt:client:requests"])
	types := map[string]bool{}
	for _, m := range meta["rt:client:requests"] {
		types[m.Type] = true
		assert.NotEmpty(t, m.Help)
	}
	assert.True(t, types["counter"])
}
