package transport_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
)

func TestRequestMetrics(t *testing.T) {
	w := newWorld(t, single, transport.Options{})
	d, e := w.Dest(path("/svc/a"), nil), w.Dest(path("/svc/a"), nil)
	p, q := mustPick(t, d), mustPick(t, e)
	requireMetric(t, w, 2, "service", "svc/a", "pending")
	requireMetric(t, w, 2, "client", "#/w/a", "pending")
	requireMetric(t, w, 2, "client", "#/w/a", "service", "svc/a", "pending")

	p.Done(weft.Result{Latency: time.Second})
	d.Record(weft.Result{Latency: time.Second})
	requireMetric(t, w, 2, "service", "svc/a", "pending") // the response is still being read
	d.Release()
	q.Done(weft.Result{Class: weft.Failure, Err: errBoom})
	e.Done(weft.Result{Class: weft.Failure, Err: errBoom})
	ignored := w.Dest(path("/svc/a"), nil)
	ignored.Done(weft.Result{Class: weft.Ignored})

	for _, row := range []struct {
		want  float64
		where []string
	}{
		{3, []string{"service", "svc/a", "requests"}},
		{1, []string{"service", "svc/a", "success"}},
		{1, []string{"service", "svc/a", "failures"}},
		{0, []string{"service", "svc/a", "pending"}},
		{2, []string{"client", "#/w/a", "requests"}},
		{1, []string{"client", "#/w/a", "success"}},
		{1, []string{"client", "#/w/a", "failures"}},
		{0, []string{"client", "#/w/a", "pending"}},
		{2, []string{"client", "#/w/a", "service", "svc/a", "requests"}},
		{0, []string{"client", "#/w/a", "service", "svc/a", "pending"}},
		{1, []string{"client", "#/w/a", "loadbalancer", "size"}},
		{1, []string{"client", "#/w/a", "available"}},
		{100, []string{"client", "#/w/a", "retries", "budget"}},
		{100, []string{"service", "svc/a", "retries", "budget"}},
	} {
		requireMetric(t, w, row.want, row.where...)
	}
	assert.Equal(t, int64(1000), w.tree.Scope("rt", "test", "service", "svc/a").Stat("request_latency_ms").Live().Max)
}

// TestUnboundMetrics: a name has metrics of its own from when it has bound; its
// requests under way move there too.
func TestUnboundMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, single, transport.Options{})
		w.rules.Store(naming.State[dtab.Dtab]{})
		d := w.Dest(path("/svc/a"), nil)
		routed := make(chan error, 1)
		go func() {
			_, err := d.Route(t.Context())
			routed <- err
		}()
		synctest.Wait()
		assert.Empty(t, w.scopes("service"))
		requireMetric(t, w, 1, "unbound", "pending")
		w.flip(single)
		require.NoError(t, <-routed)
		requireMetric(t, w, 0, "unbound", "pending")
		requireMetric(t, w, 1, "service", "svc/a", "pending")
		d.Done(weft.Result{})
		requireMetric(t, w, 0, "unbound", "requests")
		requireMetric(t, w, 0, "service", "svc/a", "pending")
		requireMetric(t, w, 1, "service", "svc/a", "requests")

		_, err := w.request(t.Context(), "/svc/neg")
		require.Error(t, err)
		requireMetric(t, w, 1, "unbound", "requests")
		w.flip("/svc=>/#/w;/svc/a=>!")
		synctest.Wait()
		_, err = w.request(t.Context(), "/svc/a")
		require.Error(t, err)
		requireMetric(t, w, 2, "service", "svc/a", "requests") // it keeps them
	})
}

// TestNoMetrics: a router without metrics works.
func TestNoMetrics(t *testing.T) {
	in := &script{}
	in.Store(naming.Ok(fixed("/#/a", "a:1")))
	r := newRouter(t, transport.Options{Interpreter: in})
	d := r.Dest(path("/svc/x"), nil)
	defer d.Done(weft.Result{})
	assert.Equal(t, "a:1", mustDone(t, d))
}

// TestRequeueBudget: attempts earn requeues by what the adapter calls a success.
func TestRequeueBudget(t *testing.T) {
	w := newWorld(t, single, transport.Options{Client: func(dtab.Path) transport.ClientOptions {
		return transport.ClientOptions{RequeueBudget: retry.BudgetOptions{MinPerSecond: retry.None, Ratio: 1}}
	}})
	d := w.Dest(path("/svc/a"), nil)
	defer d.Release()
	for i, row := range []struct {
		done func(transport.Pick)
		want int
	}{
		{func(p transport.Pick) { p.Done(weft.Result{}) }, 1},
		{func(p transport.Pick) { p.Done(weft.Result{Class: weft.Failure}) }, 1},
		{func(p transport.Pick) { p.Done(weft.Result{Class: weft.Ignored}) }, 1},
		{func(p transport.Pick) { p.DoneDeposit(weft.Result{Class: weft.Retryable}, true) }, 2},
		{func(p transport.Pick) { p.DoneDeposit(weft.Result{}, false) }, 2},
	} {
		p := mustPick(t, d)
		row.done(p)
		assert.Equal(t, row.want, p.Client.Retry().Budget.Balance(), "step %d", i)
	}
	transport.Pick{}.Done(weft.Result{})
}

// TestPolicy: a Dest's policy and a pick's client are what retry.Do needs, metrics
// included.
func TestPolicy(t *testing.T) {
	w := newWorld(t, single, transport.Options{Service: func(p dtab.Path) transport.ServiceOptions {
		return transport.ServiceOptions{Adapter: p.String(), Backoff: retry.List{0, 0}}
	}})
	w.put("a", known("a:1", "a:2"))
	d := w.Dest(path("/svc/a"), nil)
	assert.Equal(t, "/svc/a", d.Options().Adapter)
	outcomes := []weft.Result{
		{Class: weft.Retryable},
		{Class: weft.Retryable, Err: &weft.Error{Stage: weft.StageSend, Unsent: true, Err: errBoom}},
		{Class: weft.Retryable},
		{Class: weft.Retryable},
	}
	n := 0
	_, res := retry.Do(t.Context(), d.Policy(), func(_ context.Context, i int) (struct{}, weft.Result, *retry.Client) {
		p := mustPick(t, d)
		p.Done(outcomes[i])
		n++
		return struct{}{}, outcomes[i], p.Client.Retry()
	}, nil)
	d.Done(res)
	assert.Equal(t, 4, n)
	requireMetric(t, w, 2, "service", "svc/a", "retries", "total")
	requireMetric(t, w, 1, "service", "svc/a", "retries", "backoffs_exhausted")
	requireMetric(t, w, 1, "client", "#/w/a", "retries", "requeues")
	requireMetric(t, w, 1, "service", "svc/a", "requests")
	requireMetric(t, w, 4, "client", "#/w/a", "requests")
}
