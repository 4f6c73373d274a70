package transport_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// warm returns a world in which /svc/users has ten endpoints behind EWMA and
// breakers, and has been used.
func warm(tb testing.TB, rules string) *world {
	tb.Helper()
	w := newWorld(tb, rules, transport.Options{Client: func(dtab.Path) transport.ClientOptions {
		return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}
	}})
	for _, name := range []string{"users", "canary"} {
		w.put(name, known("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80",
			"10.0.0.6:80", "10.0.0.7:80", "10.0.0.8:80", "10.0.0.9:80", "10.0.0.10:80"))
	}
	for range 100 {
		w.mustRequest(tb, "/svc/users")
	}
	return w
}

// once is what the core does for a request: everything but the sending.
func once(ctx context.Context, r *transport.Router, name dtab.Path) error {
	d := r.Dest(name, nil)
	t, err := d.Route(ctx)
	if err != nil {
		d.Done(weft.Result{Class: weft.Failure, Err: err})
		return err
	}
	p, err := t.Pick(ctx, weft.Call{})
	if err != nil {
		d.Done(weft.Result{Class: weft.Failure, Err: err})
		return err
	}
	_ = p.Conn()
	p.Done(weft.Result{})
	d.Done(weft.Result{Latency: time.Millisecond})
	return nil
}

const (
	single = "/svc=>/#/w"
	split  = "/svc=>/#/w;/svc/users=>9*/#/w/users & 1*/#/w/canary"
)

func BenchmarkRequest(b *testing.B) {
	for name, rules := range map[string]string{"leaf": single, "split": split} {
		b.Run(name, func(b *testing.B) {
			w, users := warm(b, rules), path("/svc/users")
			b.ReportAllocs()
			for b.Loop() {
				if err := once(b.Context(), w.Router, users); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRequestParallel(b *testing.B) {
	w, users := warm(b, single), path("/svc/users")
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := once(ctx, w.Router, users); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func TestRequestAllocsNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, rules := range map[string]string{"leaf": single, "split": split} {
		t.Run(name, func(t *testing.T) {
			w, users := warm(t, rules), path("/svc/users")
			ctx := t.Context()
			allocs := testing.AllocsPerRun(1000, func() {
				if err := once(ctx, w.Router, users); err != nil {
					t.Error(err)
				}
			})
			assert.Zero(t, allocs)
		})
	}
}

// TestRequestCost keeps the core from becoming what a request costs. The best of
// many short runs counts, since other work on the machine only ever adds. The
// bound is more than twice what is measured, for slower machines.
func TestRequestCost(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("needs a quiet machine and no race detector")
	}
	const requests, bound = 2_000, time.Microsecond
	w, users := warm(t, single), path("/svc/users")
	ctx := t.Context()
	best := time.Hour
	for range 100 {
		start := time.Now()
		for range requests {
			if err := once(ctx, w.Router, users); err != nil {
				t.Fatal(err)
			}
		}
		best = min(best, time.Since(start)/requests)
	}
	t.Logf("%v per request", best)
	assert.Less(t, best, bound)
}
