package transport_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
)

// onlyClient returns the view of the one client that there is.
func onlyClient(tb testing.TB, w *world) transport.ClientView {
	tb.Helper()
	v := w.View(transport.ViewOptions{})
	require.Len(tb, v.Clients, 1)
	return v.Clients[0]
}

// at returns the view of an endpoint.
func at(tb testing.TB, c transport.ClientView, addr string) transport.EndpointView {
	tb.Helper()
	for _, e := range c.Endpoints {
		if e.Info.Addr == addr {
			return e
		}
	}
	require.FailNow(tb, "no endpoint "+addr)
	return transport.EndpointView{}
}

// TestViewFollowsABreaker: what is said of an endpoint that is taken out is what the
// breaker does, in numbers and in words, until it is back.
func TestViewFollowsABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			Accrual: circuit.ConsecutiveFailures{N: 3, Backoff: constant(5 * time.Second)},
		}))
		w.put("a", known("a:1", "a:2"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		fail(t, d, "a:1")
		fail(t, d, "a:1")
		e := at(t, onlyClient(t, w), "a:1")
		assert.Equal(t, circuit.View{State: circuit.Alive, Policy: "consecutiveFailures: 3", Standing: "2 consecutive failures", Failures: 2}, e.Breaker)
		assert.True(t, e.Pickable)

		fail(t, d, "a:1")
		time.Sleep(1800 * time.Millisecond)
		c := onlyClient(t, w)
		e = at(t, c, "a:1")
		assert.Equal(t, circuit.Dead, e.Breaker.State)
		assert.Equal(t, 3, e.Breaker.Failures)
		assert.Equal(t, 1800*time.Millisecond, e.Breaker.Out)
		assert.Equal(t, 3200*time.Millisecond, e.Breaker.Retry)
		assert.False(t, e.Pickable)
		assert.Equal(t, "closed by failure accrual: 3 consecutive failures, probes in 3.2s", e.Why)
		assert.Equal(t, weft.Busy, e.Status)
		assert.Equal(t, "picked: the less loaded of two random ones; load 0 is the median", at(t, c, "a:2").Why)

		time.Sleep(3300 * time.Millisecond)
		synctest.Wait()
		e = at(t, onlyClient(t, w), "a:1")
		assert.Equal(t, circuit.ProbeOpen, e.Breaker.State)
		assert.True(t, e.Pickable)
		assert.Contains(t, e.Why, "its next request is the probe")
		assert.Zero(t, e.Breaker.Retry)

		var probe transport.Pick
		for probe.Client == nil {
			p := mustPick(t, d)
			if p.Endpoint.Addr() == "a:1" {
				probe = p
			} else {
				p.Done(weft.Result{})
			}
		}
		e = at(t, onlyClient(t, w), "a:1")
		assert.Equal(t, circuit.ProbeClosed, e.Breaker.State)
		assert.Equal(t, "closed by failure accrual: 3 consecutive failures, a request is probing it now", e.Why)
		assert.EqualValues(t, 1, e.Pending)

		probe.Done(weft.Result{})
		e = at(t, onlyClient(t, w), "a:1")
		assert.Equal(t, circuit.View{State: circuit.Alive, Policy: "consecutiveFailures: 3", Standing: "0 consecutive failures"}, e.Breaker)
	})
}

// TestViewOfNoOpenEndpoint: when none is open it depends on the balancer's options what
// becomes of requests, and the sentence says so.
func TestViewOfNoOpenEndpoint(t *testing.T) {
	rows := []struct {
		fallback balancer.Fallback
		pickable bool
		why      string
	}{
		{balancer.PickAnyway, true, "picked all the same, as no endpoint of the set is open; closed by failure accrual: 1 consecutive failure, probes in 5s"},
		{balancer.FailFast, false, "closed by failure accrual: 1 consecutive failure, probes in 5s; no endpoint of the set is open, so requests fail"},
		{balancer.WaitHealthy, false, "closed by failure accrual: 1 consecutive failure, probes in 5s; no endpoint of the set is open, so requests wait"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, single, client(transport.ClientOptions{
					Balancer: balancer.Options{OnAllUnhealthy: row.fallback},
					Accrual:  circuit.ConsecutiveFailures{N: 1, Backoff: constant(5 * time.Second)},
				}))
				w.put("a", known("a:1"))
				d := w.Dest(path("/svc/a"), nil)
				defer d.Release()
				mustPick(t, d).Done(weft.Result{Class: weft.Failure})
				e := onlyClient(t, w).Endpoints[0]
				assert.Equal(t, row.pickable, e.Pickable)
				assert.Equal(t, row.why, e.Why)
			})
		})
	}
}

// TestViewOfFailFast: an endpoint that cannot be connected to is out by fail-fast, and
// the error and the next try are told.
func TestViewOfFailFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{FailFast: true}))
		w.put("a", known("a:1", "a:2"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		p := mustPick(t, d)
		p.ConnectFailed(errBoom)
		p.ConnectFailed(errBoom)
		e := at(t, onlyClient(t, w), p.Endpoint.Addr())
		assert.False(t, e.Pickable)
		assert.Equal(t, "closed by fail-fast: circuit: endpoint is down: connecting to it fails: boom; tries to connect again in 1s", e.Why)
		assert.ErrorIs(t, e.FailFast.Err, errBoom)
		p.Done(weft.Result{Class: weft.Failure})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Zero(t, at(t, onlyClient(t, w), p.Endpoint.Addr()).FailFast)
	})
}

// TestViewOfWeights: endpoints are drawn by weight class; without a share there is no
// traffic, unless that holds for all.
func TestViewOfWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{})
		w.put("a", naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{
			{Addr: "a:1", Weight: -1}, {Addr: "a:2", Weight: 1}, {Addr: "a:3", Weight: 1}, {Addr: "a:4", Weight: 6},
		}}))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		mustPick(t, d).Done(weft.Result{})
		c := onlyClient(t, w)
		assert.Equal(t, "p2c", c.Balancer.Policy)
		assert.Equal(t, "weight 0: other endpoints of the set take all the traffic", at(t, c, "a:1").Why)
		assert.False(t, at(t, c, "a:1").Pickable)
		assert.Equal(t, "picked: the less loaded of two random ones of the 2 of weight 1, which get 25 % of the traffic; load 0 is the median", at(t, c, "a:2").Why)
		assert.Equal(t, "picked: the only one of weight 6, which gets 75 % of the traffic", at(t, c, "a:4").Why)
		assert.Equal(t, balancer.Class{Weight: 6, Size: 1, Open: 1, Share: 0.75}, at(t, c, "a:4").Class)

		w.put("a", naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "a:1", Weight: -1}}}))
		synctest.Wait()
		assert.Equal(t, "picked: the only endpoint", onlyClient(t, w).Endpoints[0].Why)
	})
}

// TestViewOfPolicies: each policy has its own words for its choice.
func TestViewOfPolicies(t *testing.T) {
	rows := []struct {
		policy           balancer.Policy
		name, busy, idle string // what is said of an endpoint with a request, and of one without
	}{
		{balancer.P2C{}, "p2c", "picked: the less loaded of two random ones; load 1 is above the median 0", "picked: the less loaded of two random ones; load 0 is the median"},
		{balancer.Heap{}, "heap", "picked: the least loaded one; load 1 is above the least 0", "picked: the least loaded one; load 0 is the least"},
		{balancer.RoundRobin{}, "roundRobin", "picked: in turn, one of 3", "picked: in turn, one of 3"},
		{
			balancer.EWMA{Penalty: -1},
			"ewma", "picked: the less loaded of two random ones; load 40 ms is above the median 20 ms",
			"picked: the less loaded of two random ones; load 20 ms is the median",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, single, client(transport.ClientOptions{Balancer: balancer.Options{Policy: row.policy}}))
				w.put("a", known("a:1", "a:2", "a:3"))
				d := w.Dest(path("/svc/a"), nil)
				defer d.Release()
				answer(t, d, 20*time.Millisecond)
				busy := mustPick(t, d)
				c := onlyClient(t, w)
				assert.Equal(t, row.name, c.Balancer.Policy)
				for _, e := range c.Endpoints {
					want := row.idle
					if e.Endpoint == busy.Endpoint {
						want = row.busy
					}
					assert.Equal(t, want, e.Why)
					assert.True(t, e.Pickable)
				}
				busy.Done(weft.Result{})
			})
		})
	}
}

// answer has every endpoint answer once.
func answer(tb testing.TB, d *transport.Dest, took time.Duration) {
	tb.Helper()
	var held []transport.Pick
	for seen := map[string]bool{}; len(seen) < 3; {
		p := mustPick(tb, d)
		seen[p.Endpoint.Addr()] = true
		held = append(held, p)
	}
	for _, p := range held {
		p.Done(weft.Result{Latency: took})
	}
}

// TestViewOfAnAperture: what is outside says of how many it is not one.
func TestViewOfAnAperture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.Aperture{MinAperture: 2}}}))
		w.put("a", known("a:1", "a:2", "a:3", "a:4", "a:5"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		mustDone(t, d)
		used := picked(t, d, 200)
		inside := 0
		for _, e := range onlyClient(t, w).Endpoints {
			assert.Equal(t, used[e.Info.Addr] > 0, e.Pickable, e.Info.Addr)
			if e.Pickable {
				inside++
				assert.Contains(t, e.Why, "inside the aperture of 2 of 5 endpoints")
				continue
			}
			assert.Equal(t, "outside the aperture of 2 of 5 endpoints", e.Why)
		}
		assert.Equal(t, 2, inside)
	})
}

// TestViewOfServices: a name with its requests, retries and budgets, and where it leads.
func TestViewOfServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc/a => /#/w/a; /svc/none => /#/w/neg", transport.Options{
			Service: func(dtab.Path) transport.ServiceOptions {
				return transport.ServiceOptions{Budget: retry.BudgetOptions{MinPerSecond: 5, Ratio: 0.5, TTL: 20 * time.Second}}
			},
		})
		w.put("a", known("a:1"))
		d := w.Dest(path("/svc/a"), nil)
		mustPick(t, d).Done(weft.Result{})
		policy := d.Policy()
		policy.Observe(retry.Retried, 1)
		policy.Observe(retry.Retried, 1)
		_, err := w.request(t.Context(), "/svc/none")
		require.ErrorIs(t, err, transport.ErrNoHosts)

		v := w.View(transport.ViewOptions{})
		require.Len(t, v.Services, 2)
		a, none := v.Services[0], v.Services[1]
		assert.Equal(t, "/svc/a", a.Service.String())
		assert.EqualValues(t, 1, a.Pending)
		assert.EqualValues(t, 2, a.Retrying)
		assert.Equal(t, transport.BudgetView{Balance: 100, Terms: retry.Terms{TTL: 20 * time.Second, MinPerSecond: 5, Ratio: 0.5}}, a.Budget)
		assert.Equal(t, "[/#/w/a]", fmt.Sprint(a.Clients))
		assert.ErrorIs(t, none.Err, transport.ErrNoHosts)
		assert.Empty(t, none.Clients)
		assert.Equal(t, retry.Terms{TTL: 10 * time.Second, MinPerSecond: 10, Ratio: 0.2}, v.Clients[0].Requeues.Terms)

		policy.Observe(retry.RetriesPerRequest, 2)
		d.Release()
		v = w.View(transport.ViewOptions{Client: path("/#/w/a")})
		require.Len(t, v.Services, 1)
		assert.Zero(t, v.Services[0].Pending)
		assert.Zero(t, v.Services[0].Retrying)
		assert.Empty(t, w.View(transport.ViewOptions{Client: path("/#/w/b")}).Clients)
	})
}

// BenchmarkView is that of a router with 10,000 endpoints, 500 to a client.
func BenchmarkView(b *testing.B) {
	w := newWorld(b, "/svc => /#/w", transport.Options{})
	for i := range 20 {
		var addrs []string
		for j := range 500 {
			addrs = append(addrs, fmt.Sprintf("10.0.%d.%d:80", i, j))
		}
		w.put(fmt.Sprint(i), known(addrs...))
		w.mustRequest(b, fmt.Sprintf("/svc/%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, c := range w.View(transport.ViewOptions{}).Clients {
			n += len(c.Endpoints)
		}
		if n != 10_000 {
			b.Fatal(errors.New("endpoints are missing"), n)
		}
	}
}
