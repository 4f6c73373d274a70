package e2e_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// vizWindow is the window of stats in this test, a minute elsewhere.
const vizWindow = 4 * time.Second

// vizConfig is a proxy whose retries are all refused, so that each request is one
// attempt and each failure a refusal.
const vizConfig = `
admin: {port: 0}
telemetry:
- kind: io.l5d.prometheus
namers:
- {kind: io.l5d.fs, rootDir: '${dir}'}
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: 0}]
  service:
    responseClassifier: {kind: io.l5d.http.retryableRead5XX}
    retries:
      budget: {minRetriesPerSec: 0, percentCanRetry: 0, ttlSecs: 10}
  client:
    requeueBudget: {minRetriesPerSec: 0, percentCanRetry: 0, ttlSecs: 10}
    failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 5, backoff: {kind: constant, ms: 600000}}
`

// vizBlocks are the services: web fails and is slow at times, api is fine, and nobody
// listens at the only address of gone.
func vizBlocks() map[string]vizBlock {
	const ms = time.Millisecond
	return map[string]vizBlock{
		"web":  {base: 300 * ms, slow: 800 * ms, slowest: 2000 * ms, failed: 10, notFound: 4},
		"api":  {base: 400 * ms, slow: 700 * ms, slowest: 900 * ms, notFound: 7},
		"gone": {},
	}
}

// vizRates are the requests in a second through the first proxy; the second one has a
// tenth less.
func vizRates() map[string]float64 { return map[string]float64{"web": 80, "api": 40, "gone": 4} }

// vizProxy is one of the two proxies under load.
type vizProxy struct {
	instance string // of its series
	streams  []vizStream
	warm     map[string]vizTally // by service, before the load
	tally    map[string]vizTally // by service, of the load
}

// vizRun is what a load has left behind.
type vizRun struct {
	prom          *servers.Prometheus
	proxies       []*vizProxy
	scrapes       map[string][]time.Time
	idle          time.Time // between the warming up and the load
	began, ended  time.Time // of the sending
	first, latest map[string]time.Time
}

// TestViz puts two proxies under load while a real Prometheus with the shipped
// configuration and alerts scrapes them, and compares every query of the dashboards and
// alerts with what the load generator counted. WEFT_SOAK is how long the load lasts.
func TestViz(t *testing.T) {
	length := 16 * time.Second
	if s := os.Getenv("WEFT_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		require.NoError(t, err)
		length = max(length, d)
	}
	r := vizLoad(t, length)
	for again := 0; r.stalls(t) > 0; again++ {
		require.Less(t, again, 2, "the machine stands still for seconds, again and again")
		r = vizLoad(t, length)
	}
	t.Run("counters", r.counters)
	t.Run("variables", r.variables)
	t.Run("overview", func(t *testing.T) {
		all := []chosen{{}}
		for _, p := range r.proxies {
			all = append(all, chosen{instance: p.instance})
			for service := range vizRates() {
				all = append(all, chosen{service, p.instance})
			}
		}
		for _, c := range all {
			r.overview(t, c)
		}
	})
	t.Run("health", r.health)
	t.Run("alerts", r.alerts)
}

// stalls returns how many connections to services that are well were not made within the
// second that they have: the machine stood still. They were tried again, and breakers may
// have opened, so that what the proxies counted, rightly, is not what was sent.
func (r *vizRun) stalls(t *testing.T) (n float64) {
	t.Helper()
	for _, p := range r.proxies {
		for _, s := range r.prom.QueryAt(`rt:client:failed_connect_latency_ms_count{client=~"web|api", instance="`+p.instance+`"}`, r.latest[p.instance]) {
			n += s.Value
		}
	}
	if n > 0 {
		t.Logf("%v connections took more than a second: the load is run again", n)
	}
	return n
}

// vizServe starts a proxy with short windows.
func vizServe(t *testing.T, dir string) *mesh {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(strings.ReplaceAll(vizConfig, "${dir}", dir)), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{StatsWindow: vizWindow})
	require.NoError(t, err)
	m := &mesh{proxy: p}
	m.addrs, err = p.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(context.Background()) }()
	t.Cleanup(func() {
		p.Shutdown(5 * time.Second)
		assert.NoError(t, <-ended)
	})
	return m
}

// vizLoad runs the load.
func vizLoad(t *testing.T, length time.Duration) *vizRun {
	t.Helper()
	dir := t.TempDir()
	backend := endpointAt(t, "127.0.0.1:0", vizBackend)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, dead.Close())
	for name, addr := range map[string]string{"web": backend.addr, "api": backend.addr, "gone": dead.Addr().String()} {
		write(t, filepath.Join(dir, name), strings.Replace(addr, ":", " ", 1)+"\n")
	}
	r := &vizRun{first: map[string]time.Time{}, latest: map[string]time.Time{}}
	var targets []string
	for i := range 2 {
		m := vizServe(t, dir)
		p := &vizProxy{instance: m.addrs.Admin, warm: map[string]vizTally{}, tally: map[string]vizTally{}}
		for service, rate := range vizRates() {
			p.streams = append(p.streams, vizStream{m.url("http"), service, rate * (1 - .1*float64(i)), vizBlocks()[service]})
		}
		r.proxies = append(r.proxies, p)
		targets = append(targets, "'"+p.instance+"'")
	}
	r.prom = servers.StartPrometheus(t, vizPrometheus(t, "static.yml", strings.NewReplacer("'localhost:9990'", strings.Join(targets, ", "))))
	client := pooled(t)
	send := func(into func(*vizProxy) map[string]vizTally, n func(vizStream) int) {
		var mu sync.Mutex
		var sending sync.WaitGroup
		for _, p := range r.proxies {
			for _, s := range p.streams {
				sending.Go(func() {
					tally := s.send(t, client, n(s))
					mu.Lock()
					defer mu.Unlock()
					into(p)[s.service] = tally
				})
			}
		}
		sending.Wait()
	}
	scraped := func(after time.Time, n int) {
		child := func() bool {
			r.scrapes = scrapes(t, r.prom, time.Hour)
			for _, p := range r.proxies {
				i, _ := slices.BinarySearchFunc(r.scrapes[p.instance], after, time.Time.Compare)
				if len(r.scrapes[p.instance])-i < n {
					return false
				}
			}
			return true
		}
		for deadline := time.Now().Add(time.Minute); !child(); time.Sleep(100 * time.Millisecond) {
			require.True(t, time.Now().Before(deadline), "no scrapes: %v", r.scrapes)
		}
	}
	// Counters must be there, and have grown a good deal, before a rate of them is exact.
	send(func(p *vizProxy) map[string]vizTally { return p.warm }, func(s vizStream) int { return max(int(s.perSecond*3), 10) })
	r.idle = time.Now()
	scraped(r.idle, 2)
	r.began = time.Now()
	send(func(p *vizProxy) map[string]vizTally { return p.tally }, func(s vizStream) int { return int(s.perSecond * length.Seconds()) })
	r.ended = r.began.Add(length)
	scraped(time.Now(), 2)
	for _, p := range r.proxies {
		at := r.scrapes[p.instance]
		i, _ := slices.BinarySearchFunc(at, r.idle, time.Time.Compare)
		require.True(t, at[i].Before(r.began), "a scrape between the warming up and the load")
		r.first[p.instance], r.latest[p.instance] = at[i], at[len(at)-1]
	}
	return r
}

// vizPrometheus returns a shipped configuration that scrapes every two seconds.
func vizPrometheus(t *testing.T, file string, changes *strings.Replacer) servers.PrometheusOptions {
	t.Helper()
	text := changes.Replace(readFile(t, vizDir+"prometheus/"+file))
	text = strings.NewReplacer("interval: 10s", "interval: 2s", "../alerts/", "alerts/").Replace(text)
	o := servers.PrometheusOptions{Config: text, Files: map[string]string{}}
	rules, err := filepath.Glob(vizDir + "alerts/*.yml")
	require.NoError(t, err)
	for _, f := range rules {
		o.Files["alerts/"+filepath.Base(f)] = readFile(t, f)
	}
	return o
}

// counters compares what the counters say with all that was sent.
func (r *vizRun) counters(t *testing.T) {
	for _, p := range r.proxies {
		for service := range vizRates() {
			sel := fmt.Sprintf(`{client="%s", instance="%s"}`, service, p.instance)
			all := p.warm[service].all() + p.tally[service].all()
			// What found no connection was sent again until the breaker of gone opened.
			again := " - sum(rt:client:retries:requeues" + sel + ")"
			assert.InDelta(t, all, r.prom.Value("sum(rt:client:requests"+sel+")"+again), 0, sel)
			ok := p.warm[service].of(200, 404) + p.tally[service].of(200, 404)
			assert.InDelta(t, ok, r.prom.Value("sum(rt:client:success"+sel+")"), 0, sel)
			assert.InDelta(t, all, r.prom.Value("sum(rt:client:request_latency_ms_count"+sel+")"+again), 0, "stats count, too: %s", sel)
		}
	}
}

// variables are what people choose from.
func (r *vizRun) variables(t *testing.T) {
	want := map[string][]string{"router": {"http"}, "service": {"api", "gone", "web"}}
	for _, p := range r.proxies {
		want["instance"] = append(want["instance"], p.instance)
	}
	slices.Sort(want["instance"])
	for _, name := range []string{"linkerd-viz", "linkerd-health"} {
		for _, v := range shippedBoard(t, name).Templating.List {
			if v.Type == "query" {
				definition := chosen{}.expression(v.Definition, "http", 0)
				assert.Equal(t, want[v.Name], labelValues(t, r.prom, definition), "%s: %s", name, definition)
			}
		}
	}
	// The whole name is kept.
	assert.Equal(t, []string{"#/io.l5d.fs/web"}, labelValues(t, r.prom, `label_values(rt:client:requests{client="web"}, client_id)`))
	assert.Equal(t, []string{"svc/web"}, labelValues(t, r.prom, `label_values(rt:service:requests{service="web"}, service_path)`))
}
