package transport_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// TestChurn makes requests while the dtab flips, endpoints come and go, breakers
// trip and caches are too small: no request fails, none uses a connection that is
// closed, and nothing is left in the end.
func TestChurn(t *testing.T) {
	for name, cache := range map[string]transport.CacheOptions{
		"roomy":    {IdleTTL: time.Millisecond},
		"small":    {Paths: 8, Clients: 4, IdleTTL: time.Millisecond},
		"smallest": {Paths: 1, Clients: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, flips[0], transport.Options{Cache: cache, Client: func(dtab.Path) transport.ClientOptions {
				return transport.ClientOptions{
					FailFast: true,
					Balancer: balancer.Options{Policy: balancer.EWMA{}, Probation: true},
					Accrual:  circuit.ConsecutiveFailures{N: 2, Backoff: constant(time.Millisecond)},
				}
			}})
			for i := range 6 {
				w.put(fmt.Sprint("s", i), known("s:1"))
			}
			stop := make(chan struct{})
			var churn, users sync.WaitGroup
			churn.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(100 * time.Microsecond):
						w.flip(flips[i%len(flips)])
					}
				}
			})
			churn.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(70 * time.Microsecond):
						// A random subset, with at least one endpoint.
						eps := []string{fmt.Sprint("s:", i%7)}
						for j := range 7 {
							if j != i%7 && rand.IntN(2) == 0 {
								eps = append(eps, fmt.Sprint("s:", j))
							}
						}
						w.put(fmt.Sprint("s", i%6), known(eps...))
					}
				}
			})
			var made atomic.Int64
			until := time.Now().Add(700 * time.Millisecond)
			for range 8 {
				users.Go(func() {
					for n := 0; time.Now().Before(until) && !t.Failed(); n++ {
						d := w.Dest(path(fmt.Sprintf("/svc/%d", rand.IntN(12))), nil)
						r, err := d.Route(t.Context())
						if !assert.NoError(t, err) {
							return
						}
						for range 1 + n%3 {
							p, err := r.Pick(t.Context(), weft.Call{})
							if !assert.NoError(t, err) {
								return
							}
							made.Add(1)
							if n%50 == 0 {
								time.Sleep(time.Millisecond) // routes and clients go meanwhile
							}
							if c, ok := p.Conn().(*conn); !assert.True(t, ok && w.isOpen(c.addr), "a closed connection") {
								return
							}
							res := weft.Result{}
							if rand.IntN(4) == 0 {
								res = weft.Result{Class: weft.Failure, Err: errBoom}
								p.ConnectFailed(errBoom)
							}
							p.Done(res)
						}
						d.Done(weft.Result{})
					}
				})
			}
			users.Wait()
			close(stop)
			churn.Wait()
			t.Logf("%d attempts", made.Load())
			require.NoError(t, w.Close())
			require.Eventually(t, func() bool { return len(w.connected())+len(w.watched()) == 0 }, 5*time.Second, time.Millisecond)
			assert.Empty(t, w.scopes("client"))
			assert.Empty(t, w.scopes("service"))
		})
	}
}

// flips all lead to names with endpoints.
var flips = []string{
	"/svc=>/#/w/s0",
	"/svc=>1*/#/w/s0 & 3*/#/w/s1",
	"/svc=>/#/w/s2;/svc/1=>/#/w/s3",
	"/svc=>/#/w/neg | /#/w/s4",
	"/svc=>1*/#/w/s5 & 1*/#/w/s0 & 0*/#/w/s1",
	"/svc=>/#/w", // names of their own
}

func (w *world) isOpen(addr string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conns[addr] > 0
}
