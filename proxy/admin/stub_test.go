package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/telemetry"
)

// vectorDtab is D of the specification's vectors.
const vectorDtab = "/beh=>/#/error;/bah/humbug=>/$/inet/127.1/8080;/foo=>/bah | /beh | /$/fail;/foo=>/bar;/boo=>/foo;/meh=>/heh;/neg=>~"

type tree = dtab.Tree[naming.Name]

func bind(p dtab.Path, n int, addr string) weft.Source[naming.State[tree]] {
	set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: addr}}}
	return naming.Answer(dtab.LeafOf(naming.Fixed(p.Take(n), p.Drop(n), set)))
}

// global is as much of the names under /$ as the vectors need.
func global(_ context.Context, p dtab.Path) weft.Source[naming.State[tree]] {
	switch {
	case p.Len() >= 4 && p.Elem(1) == "inet":
		return bind(p, 4, "127.0.0.1:"+p.Elem(3))
	case p.Len() >= 2 && p.Elem(1) == "fail":
		return naming.Answer(tree{Op: dtab.Fail})
	case p.Len() >= 2:
		return naming.AnswerErr(fmt.Errorf("unknown namer: %s", p.Elem(1)))
	}
	return naming.Answer(tree{})
}

// interpreter binds names as the vectors' router "plain" does.
func interpreter(tb testing.TB) *naming.Default {
	tb.Helper()
	in := naming.NewInterpreter(naming.Options{
		Global: naming.NamerFunc(global),
		Namers: naming.Namers{
			{Prefix: dtab.MustPath("/#/test"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[tree]] {
				return bind(dtab.MustPath("/#/test").Concat(p), 3, "10.0.0.1:80")
			})},
			{Prefix: dtab.MustPath("/#/error"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[tree]] {
				return naming.AnswerErr(errors.New("error naming /#/error" + p.String()))
			})},
			{Prefix: dtab.MustPath("/#/pend"), Namer: naming.NamerFunc(func(context.Context, dtab.Path) weft.Source[naming.State[tree]] {
				return new(weft.Var[naming.State[tree]])
			})},
		},
	})
	tb.Cleanup(func() { require.NoError(tb, in.Close()) })
	return in
}

// metrics returns a tree with some traffic in it and closed windows.
func metrics(tb testing.TB) *telemetry.Tree {
	tb.Helper()
	t := telemetry.NewTree(telemetry.Options{Window: -1})
	tb.Cleanup(func() { require.NoError(tb, t.Close()) })
	t.Scope("rt", "plain", "server", "127.0.0.1/4140").Counter("requests").Add(3)
	t.Scope("rt", "plain", "service", "svc/web").Stat("request_latency_ms").Record(1)
	t.Scope("foo", "bar").Gauge("bas", func() float64 { return 1 })
	t.CloseWindow()
	return t
}

// full returns options that have something for every page.
func full(tb testing.TB) admin.Options {
	tb.Helper()
	in := interpreter(tb)
	recent := telemetry.NewRecent(4)
	trace := telemetry.NewTrace()
	recent.Record(telemetry.Span{Trace: trace, Start: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Tags: []telemetry.Tag{
		{Key: telemetry.TagClientAddr, Value: "10.9.9.9:1"},
		{Key: telemetry.TagServerAddr, Value: "127.0.0.1:4140"},
		{Key: telemetry.TagRouterLabel, Value: "plain"},
		{Key: telemetry.TagService, Value: "/svc/<script>&a b"},
		{Key: telemetry.TagClient, Value: "/#/test/web"},
	}})
	recent.Record(telemetry.Span{Trace: trace.Child(), Tags: []telemetry.Tag{{Key: telemetry.TagServerAddr, Value: "10.0.0.1:80"}}})
	text := func(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }
	client := func(id, state string, addrs ...string) admin.ClientInfo {
		return admin.ClientInfo{ID: dtab.MustPath(id), State: state, Addresses: addrs}
	}
	return admin.Options{
		Version: "1.2.3-test", Build: "deadbeef",
		Tree: metrics(tb), Recent: recent,
		ConfigJSON: text(`{"admin":{"ip":"localhost"}}`), UsageJSON: text(`{"pid":"x"}`),
		Routers: []admin.Router{
			{
				Label: "plain", Protocol: "http", Base: dtab.MustParse("/svc=>/#/test"), Delegator: in,
				Servers: []string{"127.0.0.1:4140"},
				Stored:  func() dtab.Dtab { return dtab.MustParse("/stored=>/rule") },
				Clients: func() []admin.ClientInfo {
					return []admin.ClientInfo{client("/#/test/web", "bound", "10.0.0.2:80", "10.0.0.1:80"), client("/#/test/gone", "Neg")}
				},
				InterpreterStates: map[string]func() any{
					"io.l5d.k8s.configmap": func() any { return map[string]any{"state": map[string]any{"value": "/svc=>/$/inet/127.1/11111"}} },
				},
			},
			{Label: "mute", Protocol: "thrift", Clients: func() []admin.ClientInfo {
				return []admin.ClientInfo{client("/#/test/web", "Pending", "10.0.0.3:80"), client("/#/test/bad", "Failed: boom <&>")}
			}},
		},
		Delegator: naming.NewInterpreter(naming.Options{Global: naming.NamerFunc(global)}),
		BoundNames: func(context.Context) []string {
			return []string{"/#/test/web", `/#/test/a"b`, "/#/test/web"}
		},
		NamerStates: map[string]func() any{"io.l5d.k8s": func() any { return map[string]any{"watch": 1} }},
		Levels:      &admin.Levels{}, Tracing: new(atomic.Bool),
		Shutdown: func(time.Duration) {},
	}
}

func newServer(tb testing.TB, o admin.Options) *admin.Server {
	tb.Helper()
	s, err := admin.New(o)
	require.NoError(tb, err)
	return s
}

// request is what do sends; the zero method is GET.
type request struct {
	method, target, body string
	header               map[string]string
}

func do(tb testing.TB, h http.Handler, q request) *httptest.ResponseRecorder {
	tb.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	r := httptest.NewRequest(q.method, q.target, strings.NewReader(q.body)).WithContext(tb.Context())
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(tb testing.TB, h http.Handler, target string) *httptest.ResponseRecorder {
	tb.Helper()
	return do(tb, h, request{target: target})
}
