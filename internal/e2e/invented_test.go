package e2e_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// size is what a proxy takes.
type size struct {
	heap                uint64
	goroutines, metrics int
}

func (m *mesh) size(t *testing.T) size {
	t.Helper()
	runtime.GC()
	runtime.GC() // what finalizers let go of in the first
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return size{heap: s.HeapAlloc, goroutines: runtime.NumGoroutine(), metrics: len(m.metrics(t))}
}

// TestInventedNamesLeaveNothingBehind is about a caller who makes the proxy
// remember as much as it can: names that nobody has, per-request dtabs, and through
// them endpoints.
func TestInventedNamesLeaveNothingBehind(t *testing.T) {
	invented := 65_000
	if testing.Short() {
		invented = 6_500
	}
	dir := t.TempDir()
	// All addresses of 127.0.0.0/8 reach it.
	everywhere := endpointAt(t, "0.0.0.0:0", saying("ok"))
	port := everywhere.addr[strings.LastIndexByte(everywhere.addr, ':')+1:]
	web := endpointAt(t, "127.0.0.1:0", saying("ok"))
	everywhere.forgetful, web.forgetful = true, true // the heap is the proxy's
	write(t, dir+"/disco/web", web.line())
	m := serveIn(t, dir, `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: '${dir}/disco'}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  bindingCache: {paths: 200, trees: 200, bounds: 200, clients: 100, idleTtlSecs: 1}
  servers: [{port: 0}]
`)
	// A few connections: a machine that stalls must not make the others open more.
	few := &http.Transport{MaxConnsPerHost: 4, MaxIdleConnsPerHost: 4}
	t.Cleanup(few.CloseIdleConnections)
	others := startLoad(t, &http.Client{Transport: few}, 100, func(int) call { return get(m.url("http")+"/", "Host: web") })
	others.until(t, 200)
	quiet := others.count()
	before := m.size(t)

	// A third are names that nobody has, a third share an endpoint under a dtab of
	// their own, and a third have an endpoint of their own too.
	client := pooled(t)
	one := func(i int) error {
		c := get(m.url("http")+"/", fmt.Sprintf("Host: invented-%d", i))
		want := http.StatusOK
		switch i % 3 {
		case 0:
			want = http.StatusBadGateway
		case 1:
			c.header.Set("L5d-Dtab", fmt.Sprintf("/svc => /$/inet/127.0.0.1/%s; /x => /%d", port, i))
		case 2:
			c.header.Set("L5d-Dtab", fmt.Sprintf("/svc => /$/inet/127.1.%d.%d/%s", i>>8, i&0xff, port))
		}
		r, err := c.with(client)
		if err == nil && r.status != want {
			err = fmt.Errorf("%d: %d %s", i, r.status, r.body)
		}
		return err
	}
	begin := time.Now()
	const stormers = 8
	var next, made atomic.Int64
	var lat latencies
	var callers sync.WaitGroup
	failed := make(chan error, stormers)
	for range stormers {
		callers.Go(func() {
			// A slow machine makes fewer: it would be at it for minutes.
			for i := next.Add(1); i <= int64(invented) && time.Since(begin) < 30*time.Second; i = next.Add(1) {
				made.Add(1)
				at := time.Now()
				err := one(int(i))
				lat.add(&lat.invented, time.Since(at))
				if i%20 == 0 && err == nil {
					at = time.Now()
					_, err = get(m.url("http")+"/", "Host: web").with(client)
					lat.add(&lat.known, time.Since(at))
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { callers.Wait(); close(done) }()
	var peak size
	for storm := true; storm; {
		select {
		case <-done:
			storm = false
		case <-time.After(time.Second):
			s := m.size(t)
			peak = size{max(peak.heap, s.heap), max(peak.goroutines, s.goroutines), max(peak.metrics, s.metrics)}
		}
	}
	took := time.Since(begin)
	invented = int(made.Load())
	require.Greater(t, invented, 1000, "too slow to tell anything")
	select {
	case err := <-failed:
		require.NoError(t, err)
	default:
	}
	stormy := others.count()
	client.CloseIdleConnections()

	// The caches are bounded and counted.
	evicted := m.counter(t, "rt/http/bindcache/path/evicts") + m.counter(t, "rt/http/bindcache/path/expires") + m.counter(t, "rt/http/bindcache/path/oneshots")
	assert.InDelta(t, invented, evicted, 300)
	assert.GreaterOrEqual(t, m.counter(t, "rt/http/bindcache/path/misses"), float64(invented))
	assert.GreaterOrEqual(t, m.counter(t, "rt/http/bindcache/client/misses"), float64(invented/3))
	if invented/3 > 1300 { // more than the cache has room for
		assert.Positive(t, m.counter(t, "rt/http/bindcache/client/evicts")+m.counter(t, "rt/http/bindcache/client/oneshots"))
	}

	// While they are in use the caches may fill up to their bounds and no further.
	t.Logf("%d names in %v; before %+v, at most %+v", invented, took.Round(time.Millisecond), before, peak)
	assert.Less(t, peak.metrics, before.metrics+200*40+100*80)
	assert.Less(t, peak.goroutines, before.goroutines+200*4+100*8)
	assert.Less(t, peak.heap, before.heap+80<<20)

	// Afterwards everything is as before.
	var after size
	defer func() { t.Logf("after %+v", after) }()
	eventually(t, func() bool {
		after = m.size(t)
		return after.goroutines <= before.goroutines+30 && after.metrics <= before.metrics+50
	}, "what was invented is not forgotten")
	assert.Less(t, after.heap, before.heap+16<<20)

	// The others noticed nothing.
	others.mustNotFail(t)
	calm, storm := others.percentile(0.5, 0, quiet), others.percentile(0.5, quiet, stormy)
	t.Logf("latency of others: %v before, %v meanwhile (median), %v (99 %%)", calm, storm, others.percentile(0.99, quiet, stormy))
	// How much of that is the proxy's doing and how much the crowd on the processors
	// shows in the latencies of the same callers at the same time: a known name costs
	// them no more than an invented one.
	known, unknown := median(lat.known), median(lat.invented)
	t.Logf("latency of those who invent: %v for a known name, %v for others (median)", known, unknown)
	assert.Less(t, known, 2*unknown+10*time.Millisecond)
}

// latencies are those of the callers who invent names.
type latencies struct {
	mu              sync.Mutex
	known, invented []time.Duration
}

func (l *latencies) add(to *[]time.Duration, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*to = append(*to, took)
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(d))[len(d)/2]
}
