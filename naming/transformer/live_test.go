package transformer_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/transformer"
)

const eventually, tick = 10 * time.Second, 2 * time.Millisecond

// TestGateways is X10, and what comes after: gateways that come, go and move.
func TestGateways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.says["gw"].Store(names{})
		in := w.interpreter("/svc=>/#/n", w.daemonset(false))
		src := w.bind(in, "/svc/web")
		synctest.Wait()
		assert.Equal(t, "Pending", w.show(src), "the whole name waits for the gateways")

		w.says["gw"].Store(naming.Failed[tree](errors.New("no api")))
		synctest.Wait()
		assert.Equal(t, "Failed(no api)", w.show(src))

		const id = "L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web) "
		w.says["gw"].Store(naming.Ok(tree{}))
		synctest.Wait()
		assert.Equal(t, id+"neg", w.show(src), "no gateways, and no failover for it")

		s, _ := src.Load()
		ends := s.Value.Value.Addrs(t.Context())
		w.says["gw"].Store(naming.Ok(w.leaf("gw")))
		synctest.Wait()
		now, stale := ends.Load()
		assert.Equal(t, "{10.0.0.9:4141 n1} authority=x", showSet(now), "who uses the endpoints sees the gateways come")

		w.put("gw", of("10.0.1.8:4141"))
		<-stale
		synctest.Wait()
		now, stale = ends.Load()
		assert.Equal(t, "{10.0.1.8:4141} authority=x", showSet(now), "a gateway on another machine")

		w.put("web", of("10.0.0.1:80"))
		<-stale
		synctest.Wait()
		now, _ = ends.Load()
		assert.Equal(t, "neg", showSet(now), "the endpoint on that machine is gone")

		w.put("web", web())
		w.says["gw"].Store(names{Err: errors.New("no api")})
		synctest.Wait()
		now, _ = ends.Load()
		assert.Equal(t, "{10.0.1.8:4141} authority=x (stale: no api)", showSet(now), "the last gateways stay")
		assert.Equal(t, id+"{10.0.1.8:4141} authority=x (stale: no api)", w.show(src))
	})
}

// TestGatewaysOfATree is about a gateway service that is several.
func TestGatewaysOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("other", of("10.0.1.7:4141"))
		w.ends["late"] = &weft.Var[state]{}
		elsewhere := dtab.LeafOf(naming.Name{Path: path("/elsewhere")}) // is not looked up
		w.says["gw"].Store(naming.Ok(dtab.AltOf(w.leaf("gw"), elsewhere, w.leaf("other"), w.leaf("late"))))
		src := w.bind(w.interpreter("/svc=>/#/n", w.daemonset(false)), "/svc/web")
		synctest.Wait()
		const id = "L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web) "
		assert.Equal(t, id+"{10.0.0.9:4141 n1, 10.0.1.7:4141} authority=x", w.show(src))
		w.ends["late"].Store(naming.Ok(of("10.0.1.6:4141")))
		synctest.Wait()
		assert.Equal(t, id+"{10.0.0.9:4141 n1, 10.0.1.7:4141, 10.0.1.6:4141} authority=x", w.show(src))
	})
}

// TestGatewayWatchIsShared: one look-up of the gateways, while there is a name that
// needs them.
func TestGatewayWatchIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		lookups, live := 0, 0
		gateways := naming.NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[names] {
			assert.Equal(t, "/ns/4141/l5d", p.String(), "in lower case")
			lookups++
			live++
			context.AfterFunc(ctx, func() { live-- })
			return w.Lookup(ctx, path("/gw"))
		})
		tr := w.made(transformer.NewDaemonset(transformer.DaemonsetConfig{Namespace: "ns", Port: "4141", Service: "L5D"}, gateways, transformer.Options{}))
		in := w.interpreter("/svc=>/#/n", tr)
		assert.Zero(t, lookups, "not before there is a name")
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			src := in.Bind(ctx, nil, path("/svc/web"))
			synctest.Wait()
			s, _ := src.Load()
			s.Value.Value.Addrs(ctx)
		}
		synctest.Wait()
		assert.Equal(t, 1, lookups)
		ws := in.(naming.Reporter).Watches()
		require.Len(t, ws, 1)
		assert.Equal(t, "gateways /ns/4141/l5d", ws[0].Watching)
		assert.Equal(t, "2 endpoints", ws[0].Answer)
		cancel()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Zero(t, live, "nobody needs them")
		assert.Empty(t, in.(naming.Reporter).Watches())
	})
}

// TestObservationsAreTheirUsers: endpoint sets outlive the look-up that gave them.
func TestObservationsAreTheirUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := w.interpreter("/svc=>/#/n", w.port(4141), w.daemonset(false))
		ctx, cancel := context.WithCancel(t.Context())
		src := in.Bind(ctx, nil, path("/svc/web"))
		synctest.Wait()
		s, _ := src.Load()
		ends := s.Value.Value.Addrs(t.Context())
		cancel()
		synctest.Wait()
		w.put("web", of("10.0.2.1:80"))
		synctest.Wait()
		now, _ := ends.Load()
		assert.Equal(t, "{10.0.2.9:4141}", showSet(now))

		require.NoError(t, in.(io.Closer).Close())
		synctest.Wait()
		_, stale := ends.Load()
		w.put("web", of("10.0.0.1:80"))
		synctest.Wait()
		select {
		case <-stale:
			t.Error("closed, and yet it goes on")
		default:
		}
		assert.Equal(t, "Failed(naming: closed)", w.show(in.Bind(t.Context(), nil, path("/svc/web"))))
	})
}

func TestReplaceFollowsBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tr := w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))
		src := w.bind(w.interpreter("/svc=>/#/n", tr), "/svc/web")
		const bound = "L(/%/io.l5d.replace/#/n/gw) {10.0.0.9:4141 n1, 10.0.2.9:4141}"
		assert.Equal(t, bound, w.show(src))
		w.says["gw"].Store(naming.Ok(dtab.UnionOf(w.leaf("web").Weighing(1), w.leaf("gw").Weighing(3))))
		pause()
		assert.Equal(t, "Union(1*L(/%/io.l5d.replace/#/n/web) {10.0.0.1:80 n1, 10.0.1.1:81 n2} authority=x, "+
			"3*L(/%/io.l5d.replace/#/n/gw) {10.0.0.9:4141 n1, 10.0.2.9:4141})", w.show(src), "each endpoint set has an id of its own")
		w.says["web"].Store(naming.Ok(tree{}))
		pause()
		assert.Equal(t, "Neg", w.show(src))
		w.says["web"].Store(naming.Ok(w.leaf("web")))
		w.says["gw"].Store(naming.Ok(w.leaf("gw")))
		pause()
		assert.Equal(t, bound, w.show(src))
	})
}

// pause lets an interpreter read again.
func pause() {
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
}

func TestConstLooksNothingElseUp(t *testing.T) {
	w := newWorld(t)
	asked := 0
	n := naming.NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[names] {
		asked++
		return w.Lookup(ctx, p)
	})
	c := w.made(transformer.NewConst(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))
	in := w.behind(n, "/svc=>/#/n", w.localhost("1.1.1.1"), c, w.port(5))
	assert.Equal(t, "L(/%/io.l5d.port/5/%/io.l5d.const/#/n/gw) {10.0.0.9:5 n1, 10.0.2.9:5}", w.show(w.bind(in, "/svc/web")))
	assert.Zero(t, asked)
}

func TestSpecificHostByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var dns weft.Var[state]
		tr := w.made(transformer.NewSpecificHost(transformer.SpecificHostConfig{Host: "db"}, transformer.Options{
			Resolve: func(_ context.Context, host, _ string) weft.Source[state] {
				assert.Equal(t, "db", host)
				return &dns
			},
		}))
		src := w.bind(w.interpreter("/svc=>/#/n", tr), "/svc/web")
		synctest.Wait()
		assert.Equal(t, "Pending", w.show(src))
		dns.Store(naming.Ok(of("10.0.1.1:80", "10.0.7.7:80")))
		synctest.Wait()
		assert.Equal(t, "L(/%/io.l5d.specificHost/#/n/web) {10.0.1.1:81 n2} authority=x", w.show(src))
		dns.Store(naming.Ok(of("10.0.0.1:80")))
		synctest.Wait()
		assert.Equal(t, "L(/%/io.l5d.specificHost/#/n/web) {10.0.0.1:80 n1} authority=x", w.show(src))
	})
}

// TestNoGoroutines: what can be derived from one thing is.
func TestNoGoroutines(t *testing.T) {
	w := newWorld(t)
	in := w.interpreter("", w.port(1), w.localhost("10.0.0.1"), w.localnode("10.0.0.1"))
	n := transformer.Namer(w, w.port(1), w.localhost("10.0.0.1"))
	plain := w.interpreter("")
	_ = w.bind(plain, "/#/n/web")
	_ = w.bind(in, "/#/n/web")
	runtime.Gosched()
	before := runtime.NumGoroutine()
	for range 100 {
		s, _ := n.Lookup(t.Context(), path("/web")).Load()
		s.Value.Value.Bound.Addrs(t.Context()).Load()
	}
	assert.Less(t, runtime.NumGoroutine(), before+50)
}
