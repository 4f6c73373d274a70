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

// TestPoolMetrics: what waits for a connection, and what had to or might not, can be seen.
func TestPoolMetrics(t *testing.T) {
	for _, e := range []engine{ours, recycled} {
		s := withPool(meshhttp.PoolOptions{MaxSize: 1, MaxWaiters: 2})
		s.engine = e
		inWorld(t, s, func(w *world) {
			t := w.t
			w.serve("ds", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
			do := inProcess
			if e == recycled {
				do = proxied
			}
			metrics := func() map[string]int {
				synctest.Wait()
				all := map[string]int{"dispatcher/serial/queue_size": w.client("ds", "dispatcher", "serial", "queue_size")}
				for _, name := range []string{"pool_size", "pool_cached", "pool_waiters", "pool_num_waited", "pool_num_too_many_waiters", "connects"} {
					all[name] = w.client("ds", name)
				}
				return all
			}
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { do(t, w, call{host: "ds"}) })
				synctest.Wait() // in turn: the first is at the endpoint when the others come
			}
			want := map[string]int{
				"pool_size": 1, "pool_cached": 0, "pool_waiters": 2, "dispatcher/serial/queue_size": 2,
				"pool_num_waited": 2, "pool_num_too_many_waiters": 2, "connects": 1,
			}
			assert.Equal(t, want, metrics())
			time.Sleep(1500 * time.Millisecond)
			want["pool_waiters"], want["dispatcher/serial/queue_size"] = 1, 1
			assert.Equal(t, want, metrics())
			wg.Wait()
			want["pool_waiters"], want["dispatcher/serial/queue_size"], want["pool_cached"] = 0, 0, 1
			assert.Equal(t, want, metrics())
			assert.Equal(t, 2, w.client("ds", "service_creation", "failures"), "who was refused came by no connection")
			acquired := w.tree.Scope("rt", "r1", "client", "#/w/ds").Stat("service_creation", "service_acquisition_latency_ms").Live()
			assert.EqualValues(t, 3, acquired.Count)
			assert.EqualValues(t, 3000, acquired.Sum, "one did not wait, one for a second, one for two")
		})
	}
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
