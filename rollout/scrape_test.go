package rollout_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/rollout"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

// proxy has metrics as a proxy exports them.
type proxy struct {
	*httptest.Server
	t    *testing.T
	mu   sync.Mutex
	tree *telemetry.Tree
	sick bool
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{t: t}
	p.restart()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/metrics/prometheus", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.sick {
			http.Error(w, "sick", http.StatusServiceUnavailable)
			return
		}
		o, err := prom.Options{}.Negotiate(r.Header.Values("Accept"), r.URL.RawQuery)
		assert.NoError(p.t, err)
		_ = prom.Write(w, p.tree, o)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		p.Close()
		assert.NoError(t, p.tree.Close())
	})
	return p
}

// restart begins all counters anew.
func (p *proxy) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tree != nil {
		require.NoError(p.t, p.tree.Close())
	}
	p.tree = telemetry.NewTree(telemetry.Options{Window: -1})
	begun := time.Now()
	p.tree.Scope("jvm").Gauge("uptime", func() float64 { return float64(time.Since(begun).Microseconds()) })
}

// client counts what a client did, for a service.
func (p *proxy) client(id, service string, success, failures int64) {
	client := p.tree.Scope("rt", "http", "client", id)
	for _, s := range []*telemetry.Scope{client, client.Scope("service", service)} {
		s.Counter("requests").Add(success + failures + 1) // one that was ignored
		s.Counter("success").Add(success)
		f := telemetry.NewFailures(s, telemetry.FailuresOptions{})
		for i := range failures {
			f.Record("com.example.Failure", []string{"com.example.Cause", "com.example.Other"}[i%2])
		}
	}
}

const (
	v1 = "#/io.l5d.fs/world-v1"
	v2 = "#/io.l5d.fs/world-v2"
)

func scrape(t *testing.T, change func(*rollout.ScrapeOptions), proxies ...*proxy) *rollout.Scrape {
	t.Helper()
	o := rollout.ScrapeOptions{
		Old: rollout.ClientsOf(dtab.MustPath("/" + v1)), New: rollout.ClientsOf(dtab.MustPath("/" + v2)),
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for _, p := range proxies {
		o.Proxies = append(o.Proxies, p.URL)
	}
	if change != nil {
		change(&o)
	}
	s, err := rollout.NewScrape(o)
	require.NoError(t, err)
	return s
}

// next is a turn that asks the proxies again.
func next(t *testing.T, s *rollout.Scrape) (older, newer rollout.Sample) {
	t.Helper()
	time.Sleep(60 * time.Millisecond)
	older, newer, err := s.Measure(context.Background(), time.Hour)
	require.NoError(t, err)
	return older, newer
}

func TestScrapeCountsWhatHappensWhileItLooks(t *testing.T) {
	a, b := newProxy(t), newProxy(t)
	a.client(v1, "svc/world", 1000, 1000)
	s := scrape(t, nil, a, b)
	older, newer := next(t, s)
	assert.Zero(t, older, "what was before does not count")
	assert.Zero(t, newer)

	a.client(v1, "svc/world", 90, 10)
	a.client("%/io.l5d.port/4141/"+v2, "svc/world", 5, 1)
	b.client(v2, "svc/world", 3, 0)
	b.client("#/io.l5d.fs/world-v20", "svc/world", 50, 50)
	older, newer = next(t, s)
	assert.Equal(t, rollout.Sample{Requests: 100, Successes: 90}, older)
	assert.Equal(t, rollout.Sample{Requests: 9, Successes: 8}, newer)

	b.client(v2, "svc/world", 0, 2)
	_, newer = next(t, s)
	assert.Equal(t, rollout.Sample{Requests: 11, Successes: 8}, newer)
	_, newer, err := s.Measure(t.Context(), 10*time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, rollout.Sample{Requests: 2, Successes: 0}, newer, "since the turn before")
}

func TestScrapeOverARestart(t *testing.T) {
	a := newProxy(t)
	a.client(v1, "svc/world", 10, 0)
	s := scrape(t, nil, a)
	next(t, s)
	a.client(v1, "svc/world", 5, 0)
	next(t, s)
	a.restart()
	older, _ := next(t, s)
	assert.InDelta(t, 5, older.Requests, 0)
	a.client(v1, "svc/world", 7, 0)
	older, _ = next(t, s)
	assert.InDelta(t, 12, older.Requests, 0)

	a.restart()
	a.client(v1, "svc/world", 100, 0) // more than before, so that only the uptime tells
	older, _ = next(t, s)
	assert.InDelta(t, 112, older.Requests, 0)
}

// TestScrapeOfAClientThatBeganAnew has a client that the proxy had dropped as idle,
// and one that says nothing of its uptime.
func TestScrapeOfAClientThatBeganAnew(t *testing.T) {
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count++
		fmt.Fprintf(w, "rt:client:success{rt=\"http\", client=\"%s\"} %d\n", v1, []int{0, 10, 3, 5}[count-1])
	}))
	defer server.Close()
	s := scrape(t, func(o *rollout.ScrapeOptions) { o.Proxies = []string{server.URL} })
	for _, want := range []float64{0, 10, 13, 15} {
		older, _ := next(t, s)
		assert.InDelta(t, want, older.Requests, 0)
	}
}

func TestScrapeNeedsAQuorum(t *testing.T) {
	a, b, c := newProxy(t), newProxy(t), newProxy(t)
	s := scrape(t, nil, a, b, c)
	next(t, s)
	for _, p := range []*proxy{a, b, c} {
		p.client(v1, "svc/world", 10, 0)
	}
	c.sick = true
	older, _ := next(t, s)
	assert.InDelta(t, 20, older.Requests, 0, "two of three will do")
	b.sick = true
	time.Sleep(60 * time.Millisecond)
	_, _, err := s.Measure(t.Context(), time.Hour)
	require.ErrorContains(t, err, "1 of 3 proxies answer, and 2 must")
	require.ErrorContains(t, err, "503 Service Unavailable")
	b.sick, c.sick = false, false
	older, _ = next(t, s)
	assert.InDelta(t, 30, older.Requests, 0, "nothing is lost")
}

func TestScrapeLatencies(t *testing.T) {
	a, b := newProxy(t), newProxy(t)
	latency := func(p *proxy, id string, n int, ms int64) {
		for range n {
			p.tree.Scope("rt", "http", "client", id).Stat("request_latency_ms").Record(ms)
		}
		p.tree.CloseWindow()
	}
	latency(a, v2, 50, 1000)
	s := scrape(t, nil, a, b)
	_, newer := next(t, s)
	assert.Zero(t, newer.Timed, "a window from before")
	_, newer = next(t, s)
	assert.Zero(t, newer.Timed)

	latency(a, v2, 30, 10)
	latency(b, v2, 10, 50)
	_, newer = next(t, s)
	assert.Equal(t, rollout.Sample{Timed: 40, P50: 20 * time.Millisecond, P95: 20 * time.Millisecond, P99: 20 * time.Millisecond}, newer,
		"weighted by requests")
	latency(a, v2, 40, 0)
	_, newer = next(t, s)
	assert.Equal(t, rollout.Sample{Timed: 80, P50: 10 * time.Millisecond, P95: 10 * time.Millisecond, P99: 10 * time.Millisecond}, newer,
		"windows add up, so that few requests become enough")
	time.Sleep(60 * time.Millisecond)
	_, newer, err := s.Measure(t.Context(), 10*time.Millisecond)
	require.NoError(t, err)
	assert.Zero(t, newer.Timed, "it is not of the last 10 ms")
}

func TestScrapeOneServiceAndRouter(t *testing.T) {
	a := newProxy(t)
	s := scrape(t, func(o *rollout.ScrapeOptions) { o.Service, o.Router = "svc/world", "http" }, a)
	no := scrape(t, func(o *rollout.ScrapeOptions) { o.Router = "other" }, a)
	next(t, s)
	next(t, no)
	a.client(v1, "svc/world", 5, 0)
	a.client(v1, "svc/world-admin", 50, 0)
	older, _ := next(t, s)
	assert.InDelta(t, 5, older.Requests, 0)
	older, _ = next(t, no)
	assert.Zero(t, older.Requests)
}

func TestScrapeRefusesWhatIsNoProxy(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\n")) }))
	defer web.Close()
	s := scrape(t, func(o *rollout.ScrapeOptions) { o.Proxies = []string{web.URL} })
	_, _, err := s.Measure(t.Context(), time.Second)
	require.ErrorContains(t, err, "in the metric \"<html>\"")
	s = scrape(t, func(o *rollout.ScrapeOptions) { o.Proxies = []string{web.URL}; o.Prefix = "linkerd_" })
	_, _, err = s.Measure(t.Context(), time.Second)
	require.ErrorContains(t, err, "there are no metrics of a proxy")

	_, err = rollout.NewScrape(rollout.ScrapeOptions{Proxies: []string{"127.0.0.1:9990", "ftp://x"}, Quorum: 3, New: "("})
	for _, want := range []string{
		"is not the URL of a proxy's admin server", "a quorum of 3 of 2", "not said which clients are the old branch",
		"the clients of the new branch: error parsing regexp", "first path segment in URL cannot contain colon",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestMetrics(t *testing.T) {
	name, labels, value, err := rollout.ParseMetric(`rt:client:success{rt="a\\b", client="x\"y\n,}",} 12.5 1700000000`)
	require.NoError(t, err)
	assert.Equal(t, "rt:client:success", name)
	assert.Equal(t, map[string]string{"rt": `a\b`, "client": "x\"y\n,}"}, labels)
	assert.InDelta(t, 12.5, value, 0)
	for _, line := range []string{"", "x", "x{", `x{a="`, `x{a="b"`, `x{a="b"}`, "x y", `x{a="\`} {
		_, _, _, err := rollout.ParseMetric(line)
		require.Error(t, err, line)
	}
}

func FuzzMetric(f *testing.F) {
	f.Add(`rt:client:success{rt="a\\b", client="x\"y\n,}",} 12.5 1700000000`)
	f.Add("jvm:uptime 1.0")
	f.Fuzz(func(t *testing.T, line string) {
		name, _, _, err := rollout.ParseMetric(line)
		if err == nil && len(name) >= len(line) {
			t.Errorf("the name %q of %q", name, line)
		}
	})
}
