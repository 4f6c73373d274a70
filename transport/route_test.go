package transport_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// TestShares is §3.4: how often each branch of a bound tree is drawn.
func TestShares(t *testing.T) {
	type tree = dtab.Tree[*naming.Bound]
	a, b, c := fixed("/#/a", "a"), fixed("/#/b", "b"), fixed("/#/c", "c")
	pending := leaf("/#/p", weft.Const[addrs]{})
	failed := leaf("/#/f", weft.Const[addrs]{V: naming.Failed[weft.EndpointSet](errBoom)})
	empty := tree{Op: dtab.Empty}
	w := func(weight float64, t tree) tree { return t.Weighing(weight) }
	for name, row := range map[string]struct {
		tree tree
		want map[string]float64 // "" is an error
	}{
		"one":                   {a, map[string]float64{"a": 1}},
		"even":                  {dtab.UnionOf(w(1, a), w(1, b)), map[string]float64{"a": .5, "b": .5}},
		"by weight":             {dtab.UnionOf(w(1, a), w(3, b)), map[string]float64{"a": .25, "b": .75}},
		"zero takes nothing":    {dtab.UnionOf(w(0, a), w(3, b)), map[string]float64{"b": 1}},
		"zero last":             {dtab.UnionOf(w(3, b), w(0, a)), map[string]float64{"b": 1}},
		"all zero is even":      {dtab.UnionOf(w(0, a), w(0, b), w(0, c)), map[string]float64{"a": 1. / 3, "b": 1. / 3, "c": 1. / 3}},
		"huge weights":          {dtab.UnionOf(w(math.MaxFloat64, a), w(math.MaxFloat64, b)), map[string]float64{"a": .5, "b": .5}},
		"nested":                {dtab.UnionOf(w(1, a), w(1, dtab.UnionOf(w(1, b), w(3, c)))), map[string]float64{"a": .5, "b": .125, "c": .375}},
		"nested all zero":       {dtab.UnionOf(w(1, a), w(1, dtab.UnionOf(w(0, b), w(0, c)))), map[string]float64{"a": .5, "b": .25, "c": .25}},
		"same id twice":         {dtab.UnionOf(w(1, a), w(1, b), w(2, a)), map[string]float64{"a": .75, "b": .25}},
		"empty fails its share": {dtab.UnionOf(w(1, a), w(3, empty)), map[string]float64{"a": .25, "": .75}},
		"failed fails its share": {
			dtab.UnionOf(w(1, a), w(1, failed)),
			map[string]float64{"a": .5, "": .5},
		},
		"pending is passed over": {dtab.UnionOf(w(1, a), w(98, pending), w(1, b)), map[string]float64{"a": .5, "b": .5}},
		"pending is passed over, by weight": {
			dtab.UnionOf(w(1, a), w(6, pending), w(3, b)), map[string]float64{"a": .25, "b": .75},
		},
		"pending does not wake zero": {dtab.UnionOf(w(1, a), w(6, pending), w(0, b)), map[string]float64{"a": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			in := &script{}
			in.Store(naming.Ok(row.tree))
			r := newRouter(t, transport.Options{Interpreter: in})
			d := r.Dest(path("/svc/x"), nil)
			defer d.Release()
			route, err := d.Route(t.Context())
			require.NoError(t, err)
			const n = 20_000
			got := map[string]float64{}
			for range n {
				p, err := route.Pick(t.Context(), weft.Call{})
				if err != nil {
					got[""] += 1. / n
					continue
				}
				got[p.Endpoint.Addr()] += 1. / n
				p.Done(weft.Result{})
			}
			require.Len(t, got, len(row.want))
			for addr, share := range row.want {
				// Five standard deviations: one run in a million fails by chance.
				assert.InDelta(t, share, got[addr], 1e-9+5*math.Sqrt(share*(1-share)/n), addr)
			}
		})
	}
}

// TestZeroShareDoesNotServe: a branch without a share takes no traffic, even while
// it is the only one that could.
func TestZeroShareDoesNotServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>1*/#/w/a & 0*/#/w/b", transport.Options{})
		w.put("a", addrs{})
		w.put("b", known("b:1"))
		time.AfterFunc(time.Second, func() { w.put("a", known("a:1")) })
		assert.Equal(t, "a:1", w.mustRequest(t, "/svc"))
	})
}

// TestEmptyBranchDoesNotServe: as long as a branch may still come, one that is known
// to have nothing does not fail everybody.
func TestEmptyBranchDoesNotServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>1*/#/w/a & 1*/#/w/b", transport.Options{})
		w.put("a", addrs{})
		w.put("b", known())
		d := w.Dest(path("/svc"), nil)
		defer d.Release()
		start := time.Now()
		time.AfterFunc(time.Second, func() { w.put("a", known("a:1")) })
		_, err := d.Route(t.Context())
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// B60 and the first half of V57.
func TestResidual(t *testing.T) {
	w := newWorld(t, "/usa=>/#/w/usa;/usa/ca=>/#/w/usa", transport.Options{})
	for _, row := range []struct{ name, residual string }{{"/usa/ca/sf", "/sf"}, {"/usa/ca/la", "/la"}, {"/usa", "/"}} {
		d := w.Dest(path(row.name), nil)
		p := mustPick(t, d)
		assert.Equal(t, "/#/w/usa", p.Client.ID().String())
		assert.Equal(t, row.residual, p.Residual.String())
		p.Done(weft.Result{})
		d.Done(weft.Result{})
	}
	assert.Len(t, w.Clients(), 1)
	assert.Equal(t, []string{"usa/ca/la", "usa/ca/sf", "usa"}, sortedBy(w.scopes("client", "#/w/usa", "service")))
}

func sortedBy(names []string) []string { return append(names[1:], names[0]) }

// TestLocalDtab: the same name under another per-request dtab is another Dest.
func TestLocalDtab(t *testing.T) {
	w := newWorld(t, single, transport.Options{})
	base := w.Dest(path("/svc/a"), nil)
	defer base.Release()
	local := w.Dest(path("/svc/a"), dtab.MustParse("/svc/a => /svc/b"))
	defer local.Release()
	again := w.Dest(path("/svc/a"), dtab.MustParse("/svc/a=>/svc/b"))
	defer again.Release()
	assert.Same(t, local, again)
	assert.Equal(t, "a:80", mustDone(t, base))
	assert.Equal(t, "b:80", mustDone(t, local))
	assert.Same(t, base.Budget(), local.Budget(), "one budget per logical name")
}

// mustDone picks and returns the address.
func mustDone(tb testing.TB, d *transport.Dest) string {
	tb.Helper()
	p := mustPick(tb, d)
	p.Done(weft.Result{})
	return p.Endpoint.Addr()
}

// TestFlip: the old route serves until the new one can, and what is held of the old
// one goes on working when everything under it is gone.
func TestFlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>/#/w/a", transport.Options{Cache: transport.CacheOptions{IdleTTL: time.Minute}})
		w.put("a", known("a:1"))
		w.put("b", addrs{})
		d := w.Dest(path("/svc"), nil)
		defer d.Release()
		old, err := d.Route(t.Context())
		require.NoError(t, err)
		under := mustPick(t, d)

		w.flip("/svc=>/#/w/b")
		synctest.Wait()
		for range 3 {
			assert.Equal(t, "a:1", mustDone(t, d), "b is not known yet")
		}
		assert.Equal(t, []string{"a", "b"}, w.watched(), "b is being asked for")

		w.put("b", known("b:1"))
		synctest.Wait()
		assert.Equal(t, "b:1", mustDone(t, d))

		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		require.Equal(t, []string{"b"}, w.watched(), "the client of a is gone")
		p, err := old.Pick(t.Context(), weft.Call{})
		require.NoError(t, err, "the old route finds the new one")
		assert.Equal(t, "b:1", p.Endpoint.Addr())
		p.Done(weft.Result{})

		assert.Equal(t, []string{"a:1", "b:1"}, w.connected(), "the request that is under way keeps its connection")
		assert.Equal(t, weft.Open, under.Client.Retry().Status(), "another attempt makes sense")
		assert.Equal(t, weft.Closed, under.Client.Status())
		under.Done(weft.Result{})
		synctest.Wait()
		assert.Equal(t, []string{"b:1"}, w.connected())
	})
}

// TestFlipBack: a new route that is overtaken before it served leaves nothing.
func TestFlipBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>/#/w/a", transport.Options{Cache: transport.CacheOptions{IdleTTL: time.Minute}})
		w.put("b", addrs{})
		w.put("c", addrs{})
		d := w.Dest(path("/svc"), nil)
		defer d.Release()
		for _, to := range []string{"a", "b", "c", "b", "a"} {
			w.flip("/svc=>/#/w/" + to)
			time.Sleep(time.Second)
			assert.Equal(t, "a:80", mustDone(t, d))
		}
		assert.Equal(t, []string{"svc"}, w.scopes("client", "#/w/a", "service"))
		assert.Empty(t, w.scopes("client", "#/w/b", "service"), "the pair went with the route")
		for range 4 {
			time.Sleep(time.Minute)
			w.mustRequest(t, "/svc")
		}
		assert.Equal(t, []string{"a"}, w.watched())
		assert.Equal(t, []string{"#/w/a"}, w.scopes("client"))
	})
}

// TestFlipToNothing: a name that is known to lead nowhere fails, however well it
// worked before.
func TestFlipToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "/svc=>/#/w/a", transport.Options{})
		d := w.Dest(path("/svc"), nil)
		defer d.Release()
		assert.Equal(t, "a:80", mustDone(t, d))
		w.flip("/svc=>/#/w/neg")
		synctest.Wait()
		_, err := pick(t.Context(), d)
		require.ErrorIs(t, err, transport.ErrNoHosts)
		w.flip("/svc=>/#/w/b")
		synctest.Wait()
		assert.Equal(t, "b:80", mustDone(t, d))
	})
}

// TestFlipAndReturn: what a name led to until just now is kept for a while.
func TestFlipAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = time.Minute
		w := newWorld(t, "/svc=>/#/w/a", transport.Options{Cache: transport.CacheOptions{IdleTTL: ttl}})
		d := w.Dest(path("/svc"), nil)
		defer d.Release()
		mustDone(t, d)
		time.Sleep(ttl + ttl/2)
		w.flip("/svc=>/#/w/b")
		synctest.Wait()
		assert.Equal(t, "b:80", mustDone(t, d))
		time.Sleep(ttl)
		synctest.Wait()
		assert.Contains(t, w.watched(), "a")
		time.Sleep(ttl)
		synctest.Wait()
		assert.NotContains(t, w.watched(), "a")
	})
}
