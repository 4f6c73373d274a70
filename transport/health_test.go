package transport_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// fail makes picks until one is of addr and fails that; the others succeed.
func fail(tb testing.TB, d *transport.Dest, addr string) {
	tb.Helper()
	for range 1000 {
		p := mustPick(tb, d)
		if p.Endpoint.Addr() == addr {
			p.Done(weft.Result{Class: weft.Failure, Err: errBoom})
			return
		}
		p.Done(weft.Result{})
	}
	require.FailNow(tb, "never picked "+addr)
}

// picked returns which addresses n requests go to.
func picked(tb testing.TB, d *transport.Dest, n int) map[string]int {
	tb.Helper()
	got := map[string]int{}
	for range n {
		got[mustDone(tb, d)]++
	}
	return got
}

func client(o transport.ClientOptions) transport.Options {
	return transport.Options{Client: func(dtab.Path) transport.ClientOptions { return o }}
}

// TestBreaker: an endpoint that fails is left alone, then probed by one request at a
// time, and comes back.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			Accrual: circuit.ConsecutiveFailures{N: 3, Backoff: constant(5 * time.Second)},
		}))
		w.put("a", known("a:1", "a:2"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		for range 3 {
			fail(t, d, "a:1")
		}
		assert.Equal(t, map[string]int{"a:2": 100}, picked(t, d, 100))
		requireMetric(t, w, 1, "client", "#/w/a", "failure_accrual", "removals")
		requireMetric(t, w, 5000, "client", "#/w/a", "failure_accrual", "removed_for_ms")
		requireMetric(t, w, 1, "client", "#/w/a", "loadbalancer", "busy")

		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		var held []transport.Pick
		probes := 0
		for range 100 {
			p := mustPick(t, d)
			if p.Endpoint.Addr() == "a:1" {
				probes++
			}
			held = append(held, p)
		}
		assert.Equal(t, 1, probes, "one request probes")
		for _, p := range held {
			p.Done(weft.Result{})
		}
		assert.Len(t, picked(t, d, 100), 2)
		requireMetric(t, w, 1, "client", "#/w/a", "failure_accrual", "revivals")
	})
}

// constant is a circuit.Backoff.
type constant time.Duration

func (c constant) Next(int, time.Duration) time.Duration { return time.Duration(c) }

// TestFailFast: failures to connect take an endpoint out until a probe succeeds.
func TestFailFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		var probed atomic.Value
		w := newWorld(t, single, client(transport.ClientOptions{
			FailFast: true, Accrual: circuit.None{},
			Probe: func(_ context.Context, ep weft.Endpoint) error {
				probed.Store(ep.Addr)
				if down.Load() {
					return errBoom
				}
				return nil
			},
		}))
		w.put("a", known("a:1", "a:2"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		refuse := func() {
			for {
				p := mustPick(t, d)
				if p.Endpoint.Addr() == "a:1" {
					p.ConnectFailed(errBoom)
					p.Done(weft.Result{Class: weft.Retryable, Err: errBoom})
					return
				}
				p.Connected()
				p.Done(weft.Result{})
			}
		}
		refuse()
		for reached := false; !reached; {
			p := mustPick(t, d)
			if reached = p.Endpoint.Addr() == "a:1"; reached {
				p.Connected() // which ends the row
			}
			p.Done(weft.Result{})
		}
		refuse()
		assert.Len(t, picked(t, d, 100), 2, "no two failures in a row")
		refuse()
		assert.Equal(t, map[string]int{"a:2": 100}, picked(t, d, 100))
		requireMetric(t, w, 1, "client", "#/w/a", "failfast", "marked_dead")

		time.Sleep(10 * time.Second)
		assert.Equal(t, "a:1", probed.Load())
		assert.Equal(t, map[string]int{"a:2": 100}, picked(t, d, 100))
		down.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, picked(t, d, 100), 2)
		requireMetric(t, w, 1, "client", "#/w/a", "failfast", "marked_available")
	})
}

// TestFailFastSparesTheOnly: an endpoint without an alternative is not taken out.
func TestFailFastSparesTheOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			FailFast: true, Balancer: balancer.Options{OnAllUnhealthy: balancer.FailFast},
		}))
		w.put("a", known("a:1"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		for range 4 {
			p := mustPick(t, d)
			p.ConnectFailed(errBoom)
			p.Done(weft.Result{Class: weft.Retryable, Err: errBoom})
		}
		mustDone(t, d)
	})
}

// TestWorstStatusCounts: an endpoint is in only when both breakers say so.
func TestWorstStatusCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			FailFast: true, Accrual: circuit.ConsecutiveFailures{N: 1, Backoff: constant(10 * time.Second)},
		}))
		w.put("a", known("a:1", "a:2"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		p := mustPick(t, d)
		for p.Endpoint.Addr() != "a:1" {
			p.Done(weft.Result{})
			p = mustPick(t, d)
		}
		p.ConnectFailed(errBoom)
		p.ConnectFailed(errBoom)
		assert.Equal(t, weft.Busy, p.Endpoint.Status(), "fail-fast: for a second or so")
		p.Done(weft.Result{Class: weft.Failure, Err: errBoom}) // the breaker: for ten
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, weft.Busy, p.Endpoint.Status())
		time.Sleep(6 * time.Second)
		synctest.Wait()
		assert.Equal(t, weft.Open, p.Endpoint.Status())
	})
}

// TestBreakerEndsProbation: with probation, the failure that trips the breaker of an
// endpoint that has left the set is also its end: the breaker is closed because of
// what it itself reported.
func TestBreakerEndsProbation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			Balancer: balancer.Options{Probation: true}, Accrual: circuit.ConsecutiveFailures{N: 1},
		}))
		w.put("a", known("a:1"))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		p := mustPick(t, d)
		w.put("a", known("a:2"))
		synctest.Wait()
		assert.Len(t, p.Client.Addrs(), 2)
		p.Done(weft.Result{Class: weft.Failure, Err: errBoom})
		synctest.Wait()
		assert.Equal(t, []string{"a:2"}, w.connected())
		assert.Equal(t, map[string]int{"a:2": 10}, picked(t, d, 10))
	})
}

// TestUnhealthy: the balancer's refusals and the addresses of a failed discovery are
// errors of the pick, with the client as their name.
func TestUnhealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, client(transport.ClientOptions{
			Balancer: balancer.Options{OnAllUnhealthy: balancer.FailFast}, Accrual: circuit.ConsecutiveFailures{N: 1},
		}))
		d := w.Dest(path("/svc/a"), nil)
		defer d.Release()
		fail(t, d, "a:80")
		_, err := pick(t.Context(), d)
		require.ErrorIs(t, err, balancer.ErrUnhealthy)
		var e *weft.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, weft.Error{Stage: weft.StagePick, Dst: path("/#/w/a"), Unsent: true, Err: e.Err}, *e)
	})
}

func TestIntrospection(t *testing.T) {
	w := newWorld(t, split, transport.Options{})
	s := set("10.0.0.1:80", "10.0.0.2:80")
	s.Meta = map[string]string{"authority": "acme.co"}
	w.put("users", addrs{Value: s, Known: true})
	local := dtab.MustParse("/x=>/y")
	d := w.Dest(path("/svc/users"), local)
	defer d.Release()
	r, err := d.Route(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "9.00*/#/w/users & /#/w/canary", r.String())
	require.Len(t, r.Clients(), 2)
	c := r.Clients()[0]
	assert.Equal(t, "/#/w/users", c.ID().String())
	assert.Equal(t, []string{"10.0.0.1:80", "10.0.0.2:80"}, c.Addrs())
	assert.Len(t, c.Endpoints(), 2)
	assert.Equal(t, "acme.co", c.Meta()["authority"])
	assert.Equal(t, weft.Open, c.Status())
	assert.NotNil(t, c.Options().Connect)
	assert.Equal(t, path("/svc/users"), d.Path())
	assert.Equal(t, local, d.Local())
	for range 20 {
		p := mustPick(t, d)
		assert.Equal(t, p.Endpoint.Addr(), p.Conn().(*conn).addr)
		assert.GreaterOrEqual(t, p.Elapsed(), time.Duration(0))
		p.Done(weft.Result{})
	}
	assert.Nil(t, transport.Pick{}.Conn())
}
