package transport_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// TestIdleTTL: what is idle goes between one and two TTLs after its last use, with
// its client, connections, watch and metrics; what is in use stays.
func TestIdleTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = time.Minute
		w := newWorld(t, single, transport.Options{Cache: transport.CacheOptions{IdleTTL: ttl}})
		w.put("idle", known("idle:1")) // a variable, so that there is something to wait for
		w.put("held", known("held:1"))
		w.put("busy", known("busy:1"))
		time.Sleep(ttl / 2)
		synctest.Wait()
		w.mustRequest(t, "/svc/idle")
		held := w.Dest(path("/svc/held"), nil)
		under := mustPick(t, held)
		w.mustRequest(t, "/svc/busy")
		busy := w.Clients()

		for range 15 { // to 1.25 TTLs after the request
			time.Sleep(ttl / 12)
			w.mustRequest(t, "/svc/busy")
		}
		assert.Equal(t, []string{"busy:1", "held:1", "idle:1"}, w.connected())
		for range 15 { // to 2.5
			time.Sleep(ttl / 12)
			w.mustRequest(t, "/svc/busy")
		}
		synctest.Wait()
		assert.Equal(t, []string{"busy:1", "held:1"}, w.connected())
		assert.Equal(t, []string{"busy", "held"}, w.watched())
		assert.Equal(t, []string{"svc/busy", "svc/held"}, w.scopes("service"))
		assert.Equal(t, []string{"#/w/busy", "#/w/held"}, w.scopes("client"))
		for _, c := range w.Clients() {
			assert.True(t, slices.Contains(busy, c), "%s is the one from before", c.ID())
		}
		requireMetric(t, w, 1, "bindcache", "path", "expires")
		requireMetric(t, w, 1, "bindcache", "client", "expires")

		// A use that lasted long ends now, not when it began.
		time.Sleep(ttl / 4)
		under.Done(weft.Result{})
		held.Done(weft.Result{})
		time.Sleep(ttl)
		synctest.Wait()
		assert.Contains(t, w.scopes("service"), "svc/held")
		time.Sleep(2 * ttl)
		synctest.Wait()
		assert.Empty(t, w.watched())
		assert.Empty(t, w.connected())
		assert.Empty(t, w.Clients())
		stacks := make([]byte, 1<<20)
		assert.NotContains(t, string(stacks[:runtime.Stack(stacks, true)]), "internal/signals", "nothing waits for news any more")
	})
}

// TestInventedNames: a caller that makes up 65,000 names leaves memory, goroutines
// and metrics as they were, whether the names lead somewhere or not, and does not
// harm those who use real ones.
func TestInventedNames(t *testing.T) {
	for name, prefix := range map[string]string{"leading nowhere": "neg", "leading somewhere": "made-up-"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const capacity, ttl = 1000, time.Minute
				names := 65_000
				if raceEnabled || testing.Short() {
					names = 8000
				}
				w := newWorld(t, single, transport.Options{
					Cache: transport.CacheOptions{Paths: capacity, Clients: capacity, IdleTTL: ttl},
				})
				w.put("real", known("real:1"))
				w.mustRequest(t, "/svc/real")
				w.mustRequest(t, "/svc/real")
				before := w.Clients()
				metrics, memory, running := w.size(), heap(), goroutines()

				worst := 0
				for i := range names {
					addr, err := w.request(t.Context(), fmt.Sprintf("/svc/%s%d", prefix, i))
					if prefix == "neg" {
						require.ErrorIs(t, err, transport.ErrNoHosts)
					} else {
						require.Equal(t, fmt.Sprintf("made-up-%d:80", i), addr)
					}
					if i%100 == 0 {
						require.Equal(t, "real:1", w.mustRequest(t, "/svc/real"))
					}
					if i%5000 == 0 {
						synctest.Wait()
						worst = max(worst, goroutines())
					}
				}
				synctest.Wait()
				require.True(t, before[0] == clientOf(t, w, "/#/w/real"), "the real name was never let go")
				assert.LessOrEqual(t, len(w.Clients()), capacity)
				// Each kept name has a goroutine that keeps it bound.
				assert.LessOrEqual(t, max(worst, goroutines()), running+capacity)
				if prefix == "neg" {
					assert.LessOrEqual(t, w.size(), metrics+20, "names that lead nowhere share their metrics")
					requireMetric(t, w, float64(names), "unbound", "requests")
				} else {
					assert.LessOrEqual(t, len(w.scopes("service")), capacity)
					assert.LessOrEqual(t, len(w.scopes("client")), capacity)
				}

				for range 30 { // 2.5 TTLs
					time.Sleep(ttl / 12)
					w.mustRequest(t, "/svc/real")
				}
				synctest.Wait()
				assert.True(t, slices.Equal(before, w.Clients()), "they are the same")
				assert.LessOrEqual(t, goroutines(), running)
				assert.LessOrEqual(t, w.size(), metrics+20)
				assert.Equal(t, []string{"real"}, w.watched())
				assert.LessOrEqual(t, heap(), memory+4<<20)
			})
		})
	}
}

// size returns how many metrics there are.
func (w *world) size() (n int) {
	w.tree.CloseWindow() // stats show after the first window
	for range w.tree.All() {
		n++
	}
	return n
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// goroutines counts stacks: runtime.NumGoroutine counts dead goroutines too while
// they move between the lists that they are kept on.
func goroutines() int {
	buf := make([]byte, 8<<20)
	return bytes.Count(buf[:runtime.Stack(buf, true)], []byte("\n\ngoroutine ")) + 1
}

func clientOf(tb testing.TB, w *world, id string) *transport.Client {
	tb.Helper()
	for _, c := range w.Clients() {
		if c.ID() == path(id) {
			return c
		}
	}
	require.FailNow(tb, "no client "+id)
	return nil
}

// TestFullCache: when everything is in use, new names work all the same, and are
// not kept.
func TestFullCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{Cache: transport.CacheOptions{Paths: 2, Clients: 2}})
		var held []*transport.Dest
		var picks []transport.Pick
		for i := range 5 {
			d := w.Dest(path(fmt.Sprintf("/svc/%d", i)), nil)
			held = append(held, d)
			picks = append(picks, mustPick(t, d))
		}
		assert.Len(t, w.Clients(), 2)
		assert.Len(t, w.connected(), 5)
		requireMetric(t, w, 3, "bindcache", "path", "oneshots")
		requireMetric(t, w, 3, "bindcache", "client", "oneshots")
		for i := range held {
			assert.Equal(t, fmt.Sprintf("%d:80", i), mustDone(t, held[i]), "while held, they can be used again")
			picks[i].Done(weft.Result{})
			held[i].Done(weft.Result{})
		}
		synctest.Wait()
		assert.Equal(t, []string{"0:80", "1:80"}, w.connected(), "what was not kept is gone")
		assert.Len(t, w.scopes("client"), 2)
		assert.Len(t, w.scopes("service"), 2)

		w.mustRequest(t, "/svc/new")
		assert.Contains(t, w.connected(), "new:80", "there is room again")
		requireMetric(t, w, 3, "bindcache", "path", "oneshots")
		requireMetric(t, w, 1, "bindcache", "path", "evicts")
	})
}

// TestOneShotOutlivesPick: a request whose Dest was not kept may still be reading
// its response when the Dest is given back.
func TestOneShotOutlivesPick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{Cache: transport.CacheOptions{Paths: 1, Clients: 1}})
		first := w.Dest(path("/svc/a"), nil)
		defer first.Release()
		mustDone(t, first)
		d := w.Dest(path("/svc/b"), nil)
		p := mustPick(t, d)
		d.Done(weft.Result{})
		synctest.Wait()
		assert.Contains(t, w.connected(), "b:80")
		p.Done(weft.Result{})
		synctest.Wait()
		assert.Equal(t, []string{"a:80"}, w.connected())
	})
}

// TestSharedMetrics: the metrics of a name are there as long as anybody uses it,
// under whatever dtab.
func TestSharedMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = time.Minute
		w := newWorld(t, single, transport.Options{Cache: transport.CacheOptions{IdleTTL: ttl}})
		local := w.Dest(path("/svc/a"), dtab.MustParse("/x=>/y"))
		mustDone(t, local)
		local.Done(weft.Result{})
		for range 40 {
			w.mustRequest(t, "/svc/a")
			time.Sleep(ttl / 10)
		}
		requireMetric(t, w, 1, "bindcache", "path", "expires")
		requireMetric(t, w, 41, "service", "svc/a", "requests")
		requireMetric(t, w, 41, "client", "#/w/a", "service", "svc/a", "requests")
	})
}

// TestEndpointsEnd: an endpoint that leaves is closed when its last request is over.
func TestEndpointsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{})
		w.put("a", known("a:1"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		p, q := mustPick(t, d), mustPick(t, d)
		w.put("a", known("a:2"))
		synctest.Wait()
		assert.Equal(t, "a:2", mustDone(t, d))
		p.Done(weft.Result{})
		synctest.Wait()
		assert.Equal(t, []string{"a:1", "a:2"}, w.connected())
		q.Done(weft.Result{})
		synctest.Wait()
		assert.Equal(t, []string{"a:2"}, w.connected())
	})
}
