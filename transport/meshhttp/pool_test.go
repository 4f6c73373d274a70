package meshhttp_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func withPool(p meshhttp.PoolOptions) setup {
	return setup{client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
		b := retry.BudgetOptions{TTL: 10 * time.Second, MinPerSecond: retry.None, Ratio: retry.None}
		return transport.ClientOptions{Accrual: circuit.None{}, RequeueBudget: b}, meshhttp.ClientSettings{Pool: p}
	}}
}

// TestIdleTimeout is V79, and LifeTime beside it.
func TestIdleTimeout(t *testing.T) {
	for id, p := range map[string]meshhttp.PoolOptions{
		"V79 idle": {IdleTimeout: 1500 * time.Millisecond},
		"lifetime": {LifeTime: 1500 * time.Millisecond},
	} {
		t.Run(id, func(t *testing.T) {
			onAllFaces(t, withPool(p), func(w *world, do func(call) reply) {
				t := w.t
				w.serve("ds", func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slow" {
						time.Sleep(3 * time.Second)
					}
				})
				do(call{host: "ds"})
				assert.Equal(t, 1, w.client("ds", "connections"))
				time.Sleep(2 * time.Second)
				assert.Equal(t, 0, w.client("ds", "connections"))
				assert.Equal(t, 1, w.client("ds", "closes"))
				assert.Equal(t, 200, do(call{host: "ds", uri: "/slow"}).StatusCode, "a request is not cut off")
				synctest.Wait()
				if p.LifeTime > 0 {
					assert.Equal(t, 0, w.client("ds", "connections"))
				}
				assert.Equal(t, 200, do(call{host: "ds"}).StatusCode)
			})
		})
	}
}

// TestMaxWaiters: who is beyond the limit fails at once and no endpoint is to blame.
func TestMaxWaiters(t *testing.T) {
	onAllFaces(t, withPool(meshhttp.PoolOptions{MaxSize: 1, MaxWaiters: 1}), func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 5 {
			wg.Go(func() {
				resp := do(call{host: "ds"})
				mu.Lock()
				defer mu.Unlock()
				got[resp.StatusCode]++
			})
		}
		wg.Wait()
		assert.Equal(t, map[int]int{200: 2, 502: 3}, got)
		assert.Equal(t, 1, ds.connections())
		assert.Equal(t, 200, do(call{host: "ds"}).StatusCode, "places are given back")
	})
}

// TestConnectionsAreReopened is V81: a downstream that closes its connection
// between requests costs nobody anything.
func TestConnectionsAreReopened(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		w.raw("ds", true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		for i := range 3 {
			assert.Equal(t, 200, do(call{method: []string{"GET", "POST", "PUT"}[i], host: "ds"}).StatusCode)
			synctest.Wait()
			assert.Equal(t, i+1, w.client("ds", "connects"))
		}
		assert.Equal(t, 0, w.client("ds", "failures"))
		assert.Equal(t, 0, w.client("ds", "retries", "requeues"))
	})
}

// TestOldDownstream is V82: connections to an HTTP/1.0 peer serve one request.
func TestOldDownstream(t *testing.T) {
	onAllFaces(t, withClassifier(meshhttp.Read), func(w *world, do func(call) reply) {
		t := w.t
		w.raw("ds", true, "HTTP/1.0 200 OK\r\n\r\nhi", "HTTP/1.0 200 OK\r\n\r\nhi", "HTTP/1.0 500 No\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nhi")
		for _, want := range []int{1, 2, 4} {
			resp := do(call{host: "ds"})
			assert.Equal(t, "hi", resp.body)
			assert.Equal(t, want, w.client("ds", "connects"))
		}
	})
}

// TestEndpointsChange: connections to an endpoint that has gone are closed, and
// requests go to those there are.
func TestEndpointsChange(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		a := w.serve("ds", nil)
		do(call{host: "ds"})
		b := w.listen(w.address(), "b", nil)
		w.put("ds", b.addr)
		synctest.Wait()
		assert.Equal(t, "b", do(call{host: "ds"}).body)
		synctest.Wait()
		assert.Equal(t, 1, w.client("ds", "connections"))
		assert.Len(t, a.requests(), 1)
	})
}
