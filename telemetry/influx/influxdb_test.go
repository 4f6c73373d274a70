package influx_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

// TestInfluxDBTakesThePage: a real InfluxDB takes all lines of the page, and answers with
// the values, fields and tags that went in.
func TestInfluxDBTakesThePage(t *testing.T) {
	db := servers.StartInfluxDB(t)
	tree := newTree(t)
	client := tree.Scope("rt", "in,coming", "client", `#/io.l5d.fs/a b=c\`)
	client.Counter("requests").Add(3)
	client.Counter("failures").Inc()
	client.Counter("failures", "com.twitter.finagle.Failure").Inc()
	client.Gauge("pending", func() float64 { return 1.5 })
	stat := client.Stat("request_latency_ms")
	stat.Record(4)
	stat.Record(6)
	tree.Scope("jvm", "mem").Gauge("used", func() float64 { return 1e9 })
	tree.Scope().Counter("top").Inc()
	tree.CloseWindow()

	do := func(method, target, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, db.URL+target, strings.NewReader(body))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Less(t, resp.StatusCode, 300, "%s: %s", target, text)
		return string(text)
	}
	do(http.MethodPost, "/query?q="+url.QueryEscape("CREATE DATABASE weft"), "")
	do(http.MethodPost, "/write?db=weft", write(t, tree, "l5d:9990"))
	row := func(measurement string) map[string]any {
		t.Helper()
		var answer struct {
			Results []struct {
				Series []struct {
					Columns []string
					Values  [][]any
				}
			}
		}
		text := do(http.MethodGet, "/query?db=weft&q="+url.QueryEscape(`SELECT * FROM "`+measurement+`"`), "")
		require.NoError(t, json.Unmarshal([]byte(text), &answer))
		require.Len(t, answer.Results, 1, text)
		require.Len(t, answer.Results[0].Series, 1, text)
		s := answer.Results[0].Series[0]
		require.Len(t, s.Values, 1, text)
		all := map[string]any{}
		for i, c := range s.Columns {
			if c != "time" && s.Values[0][i] != nil {
				all[c] = s.Values[0][i]
			}
		}
		return all
	}
	// A backslash at the end is one that the protocol cannot express.
	assert.Equal(t, map[string]any{
		"client": `#/io.l5d.fs/a b=c `, "host": "l5d:9990", "rt": "in,coming", "requests": 3.0, "failures": 1.0, "pending": 1.5,
		"request_latency_ms_avg": 5.0, "request_latency_ms_count": 2.0, "request_latency_ms_max": 6.0, "request_latency_ms_min": 4.0, "request_latency_ms_p50": 4.0,
		"request_latency_ms_p90": 6.0, "request_latency_ms_p95": 6.0, "request_latency_ms_p99": 6.0, "request_latency_ms_p999": 6.0, "request_latency_ms_p9999": 6.0,
		"request_latency_ms_sum": 10.0,
	}, row("rt:client"))
	assert.InDelta(t, 1.0, row("rt:client:failures")["com.twitter.finagle.Failure"], 0)
	assert.InDelta(t, 1e9, row("jvm:mem")["used"], 0)
	assert.InDelta(t, 1.0, row("root")["top"], 0)
}
