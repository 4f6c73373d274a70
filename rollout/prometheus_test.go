package rollout_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/rollout"
)

func TestPrometheus(t *testing.T) {
	var (
		mu      sync.Mutex
		queries []string
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/prom/api/v1/query", r.URL.Path)
		assert.Equal(t, "Bearer x", r.Header.Get("Authorization"))
		q := r.PostFormValue("query")
		mu.Lock()
		queries = append(queries, q)
		mu.Unlock()
		value := "7"
		switch {
		case strings.Contains(q, `quantile="0.95"`):
			value = "12.5"
		case strings.Contains(q, `quantile="0.99"`):
			value = "NaN" // nothing by nothing
		case strings.Contains(q, "failures"):
			value = "10"
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.1,"` + value + `"]}]}}`))
	}))
	defer server.Close()
	m, err := rollout.NewPrometheus(rollout.PrometheusOptions{
		URL: server.URL + "/prom/", Old: `#/io\.l5d\.fs/world-v1`, New: `#/io\.l5d\.fs/world-v2`, Router: "http", Prefix: "linkerd_",
		Header: http.Header{"Authorization": {"Bearer x"}}, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	require.NoError(t, err)
	older, newer, err := m.Measure(t.Context(), 89500*time.Millisecond)
	require.NoError(t, err)
	want := rollout.Sample{Requests: 10, Successes: 7, Timed: 7, P50: 7 * time.Millisecond, P95: 12500 * time.Microsecond}
	assert.Equal(t, want, older)
	assert.Equal(t, want, newer)
	assert.Len(t, queries, 12)
	assert.Contains(t, queries, `(sum(increase(linkerd_rt:client:success{client=~"#/io\\.l5d\\.fs/world-v2",rt="http"}[90s])) or vector(0))`)
}

func TestPrometheusAnswers(t *testing.T) {
	for _, v := range []struct {
		body string
		want float64
		err  string
	}{
		{`{"status":"success","data":{"resultType":"vector","result":[]}}`, 0, ""},
		{`{"status":"success","data":{"resultType":"scalar","result":[1,"3.5"]}}`, 3.5, ""},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}`, 0, "there are 2 answers"},
		{`{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, `the answer is a "matrix"`},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"+Inf"]}]}}`, 0, `the answer is "+Inf"`},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"-1"]}]}}`, 0, `the answer is "-1"`},
		{`{"status":"success","data":{"resultType":"scalar","result":[1]}}`, 0, "want a number"},
		{`{"status":"error","errorType":"bad_data","error":"parse error"}`, 0, `status "error": parse error`},
		{`<html>`, 0, "is not that of /api/v1/query"},
	} {
		got, err := rollout.ParseAnswer([]byte(v.body))
		if v.err == "" {
			require.NoError(t, err)
			assert.InDelta(t, v.want, got, 0)
		} else {
			require.ErrorContains(t, err, v.err)
		}
	}
	_, err := rollout.NewPrometheus(rollout.PrometheusOptions{URL: "prometheus:9090", Old: "a", New: "b"})
	require.ErrorContains(t, err, "is not the URL of a Prometheus server")
}

func FuzzPrometheusAnswer(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"3.5"]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := rollout.ParseAnswer(body)
		if err == nil && !(v >= 0) {
			t.Errorf("%v", v)
		}
	})
}
