package soak_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
)

// TestThousandsOfServices: a proxy with 10,000 live services, each with a connection of its
// own, takes less than 380 MB while it is scraped once a second, also on a busy machine, and few
// goroutines. The goal is 300 MB, and 300 ms for a scrape, on a quiet machine; with
// WEFT_SOAK it waits for the end of a window, so that stats have summaries, too.
func TestThousandsOfServices(t *testing.T) {
	child.Heavy(t)
	const n = 10_000
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	upstream := origin.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if limit.Cur < n+1000 {
			w.Header().Set("Connection", "close") // there are too few descriptors to keep them all
		}
		_, _ = io.WriteString(w, "ok")
	}), nil)
	disco := t.TempDir()
	for i := range n {
		require.NoError(t, os.WriteFile(filepath.Join(disco, fmt.Sprintf("service-%d", i)), []byte("127.0.0.1 "+upstream.Port+"\n"), 0o600))
	}
	w := child.Run(t, fmt.Sprintf(`
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: '%s'}]
telemetry: [{kind: io.l5d.prometheus}, {kind: io.l5d.influxdb}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  bindingCache: {paths: 20000, trees: 20000, bounds: 20000, clients: 20000, idleTtlSecs: 3600}
  servers: [{port: 0}]
`, disco))

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	round := func() {
		var (
			all  sync.WaitGroup
			next atomic.Int64
		)
		for range 8 {
			all.Go(func() {
				for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.Addr(t, "http"), http.NoBody)
					if !assert.NoError(t, err) {
						return
					}
					req.Host = fmt.Sprintf("service-%d", i)
					resp, err := client.Do(req)
					if !assert.NoError(t, err) {
						return
					}
					_, err = io.Copy(io.Discard, resp.Body)
					if !assert.NoError(t, err) || !assert.NoError(t, resp.Body.Close()) || !assert.Equal(t, 200, resp.StatusCode) {
						return
					}
				}
			})
		}
		all.Wait()
	}
	round()
	if os.Getenv("WEFT_SOAK") != "" {
		time.Sleep(time.Minute)
	}
	round()
	peak := w.RSS()
	t.Logf("%d MB resident, %d descriptors", peak>>20, len(w.Files()))
	for _, page := range []string{"/admin/metrics.json", "/admin/metrics.json?tree=1", "/admin/metrics/prometheus", "/admin/metrics/prometheus?format=protobuf", "/admin/metrics/influxdb"} {
		processor, size := time.Hour, int64(0)
		var wall []time.Duration
		for range 8 {
			time.Sleep(time.Second) // a scrape right after the other is load
			began, before := time.Now(), w.CPU()
			size = w.Read(t, page, io.Discard)
			wall, processor = append(wall, time.Since(began)), min(processor, w.CPU()-before)
			peak = max(peak, w.RSS())
		}
		slices.Sort(wall)
		t.Logf("%-42s %4d ms, at the median %4d, %4d of processor, %3d MB",
			page, wall[0].Milliseconds(), wall[len(wall)/2].Milliseconds(), processor.Milliseconds(), size>>20)
	}
	t.Logf("at most %d MB resident", peak>>20)
	assert.Less(t, peak, int64(380<<20))
	assert.Less(t, len(w.Goroutines(t)), n/2)
}
