package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/transport"
)

// meshRouter returns a router of names /svc/<n> with so many endpoints each.
func meshRouter(tb testing.TB, endpoints int, opts transport.Options) *transport.Router {
	tb.Helper()
	opts.Interpreter = naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc=>/#/test"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/test"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[tree]] {
			var set weft.EndpointSet
			for i := range endpoints {
				set.Endpoints = append(set.Endpoints, weft.Endpoint{
					Addr: fmt.Sprintf("10.0.%d.%d:80", i/250, i%250+1), Meta: map[string]string{"nodeName": "n1"},
				})
			}
			return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/test").Concat(p), dtab.Path{}, set)))
		})}},
	})
	r, err := transport.NewRouter(opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, r.Close()) })
	return r
}

// attempt makes a request to a name, which done ends.
func attempt(tb testing.TB, r *transport.Router, name string) (done func(weft.Result)) {
	tb.Helper()
	d := r.Dest(dtab.MustPath(name), nil)
	route, err := d.Route(tb.Context())
	require.NoError(tb, err)
	p, err := route.Pick(tb.Context(), weft.Call{})
	require.NoError(tb, err)
	return func(res weft.Result) {
		p.Done(res)
		d.Done(res)
	}
}

func TestEndpoints(t *testing.T) {
	r := meshRouter(t, 1, transport.Options{Client: func(dtab.Path) transport.ClientOptions {
		return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}
	}})
	s := newServer(t, admin.Options{Routers: []admin.Router{{Label: "in", Protocol: "http", View: r.View}, {Label: "out", Protocol: "h2"}}})
	for range 5 {
		attempt(t, r, "/svc/web")(weft.Result{Class: weft.Failure, Latency: 10 * time.Second})
	}
	attempt(t, r, "/svc/b")
	w := get(t, s, "/endpoints.json")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))

	var page map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
	router := page["routers"].([]any)[0].(map[string]any)
	assert.Equal(t, "http", router["protocol"])
	service := router["services"].([]any)[1].(map[string]any)
	assert.Equal(t, map[string]any{
		"service": "/svc/web", "pending": 0.0, "retrying": 0.0, "clients": []any{"/#/test/web"},
		"retryBudget": map[string]any{"balance": 100.0, "percentCanRetry": 0.2, "minRetriesPerSec": 10.0, "ttlSecs": 10.0},
	}, service)
	client := router["clients"].([]any)[1].(map[string]any)
	endpoint := client["endpoints"].([]any)[0].(map[string]any)
	delete(client, "endpoints")
	assert.Equal(t, map[string]any{
		"client": "/#/test/web", "state": "bound", "status": "busy", "balancer": "ewma", "size": 1.0, "available": 0.0,
		"requeueBudget": map[string]any{"balance": 100.0, "percentCanRetry": 0.2, "minRetriesPerSec": 10.0, "ttlSecs": 10.0},
	}, client)
	breaker := endpoint["breaker"].(map[string]any)
	assert.InDelta(t, 5000, breaker["retryInMs"], 4000)
	for _, changing := range []string{"retryInMs", "openForMs"} {
		delete(breaker, changing)
	}
	assert.InDelta(t, 10_000, endpoint["ewmaMs"], 100)
	assert.InDelta(t, 10_000, endpoint["load"], 100)
	assert.Contains(t, endpoint["why"], "picked all the same, as no endpoint of the set is open; closed by failure accrual: 5 consecutive failures, probes in ")
	for _, changing := range []string{"ewmaMs", "load", "why"} {
		delete(endpoint, changing)
	}
	assert.Equal(t, map[string]any{
		"address": "10.0.0.1:80", "weight": 1.0, "metadata": map[string]any{"nodeName": "n1"}, "status": "busy", "pending": 0.0,
		"inAperture": true, "pickable": true,
		"breaker":     map[string]any{"state": "open", "policy": "consecutiveFailures: 5", "standing": "5 consecutive failures", "failures": 5.0},
		"weightClass": map[string]any{"weight": 1.0, "size": 1.0, "available": 0.0, "share": 1.0},
	}, endpoint)

	assert.JSONEq(t, `{"routers":[{"router":"out","protocol":"h2","services":[],"clients":[]}]}`, get(t, s, "/endpoints.json?router=out").Body.String())
	one := get(t, s, "/endpoints.json?router=in&client=/%23/test/b").Body.String()
	assert.Contains(t, one, "/#/test/b")
	assert.NotContains(t, one, "/#/test/web")
}

func TestEndpointsOfNobody(t *testing.T) {
	s := newServer(t, full(t))
	w := get(t, s, "/endpoints.json?router=none")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "admin: endpoints: there is no router none", w.Body.String())
	w = get(t, s, "/endpoints.json?client=nothing")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Contains(t, w.Body.String(), "admin: endpoints: client: ")
}

// BenchmarkEndpoints is the page of 10,000 endpoints, whose limit is 300 ms.
func BenchmarkEndpoints(b *testing.B) {
	r := meshRouter(b, 500, transport.Options{})
	for i := range 20 {
		attempt(b, r, fmt.Sprintf("/svc/%d", i))(weft.Result{})
	}
	s := newServer(b, admin.Options{Routers: []admin.Router{{Label: "in", Protocol: "http", View: r.View}}})
	for b.Loop() {
		if w := get(b, s, "/endpoints.json"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
