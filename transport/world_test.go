package transport_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

type (
	addrs = naming.State[weft.EndpointSet]
	bound = naming.State[dtab.Tree[*naming.Bound]]
)

var errBoom = errors.New("boom")

func path(s string) dtab.Path { return dtab.MustPath(s) }

func set(addresses ...string) weft.EndpointSet {
	var s weft.EndpointSet
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, weft.Endpoint{Addr: a})
	}
	return s
}

func known(addresses ...string) addrs { return naming.Ok(set(addresses...)) }

// world is a mesh in one process: a namer at /#/w that a test writes on, a dtab
// that it can change, the real interpreter, real metrics, and connections that
// remember whether they were closed.
type world struct {
	rules *weft.Var[naming.State[dtab.Dtab]]
	tree  *telemetry.Tree
	*transport.Router

	mu    sync.Mutex
	sets  map[string]*weft.Var[addrs]
	live  map[string]int // watches of endpoints whose context has not ended
	conns map[string]int // connections that are not closed, by address
}

// newWorld starts a world with the given dtab. Everything in it ends with the test.
func newWorld(tb testing.TB, rules string, opts transport.Options) *world {
	tb.Helper()
	w := &world{
		rules: weft.NewVar(naming.Ok(dtab.MustParse(rules))),
		tree:  telemetry.NewTree(telemetry.Options{Window: -1}),
		sets:  map[string]*weft.Var[addrs]{}, live: map[string]int{}, conns: map[string]int{},
	}
	in := naming.NewInterpreter(naming.Options{
		Stored: w.rules, Settle: -1,
		Namers: naming.Namers{{Prefix: path("/#/w"), Namer: naming.NamerFunc(w.lookup)}},
	})
	opts.Interpreter, opts.Metrics = in, w.tree.Scope("rt", "test")
	client := opts.Client
	opts.Client = func(id dtab.Path) transport.ClientOptions {
		var o transport.ClientOptions
		if client != nil {
			o = client(id)
		}
		o.Connect = w.connect
		return o
	}
	var err error
	w.Router, err = transport.NewRouter(opts)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		require.NoError(tb, w.Router.Close())
		require.NoError(tb, in.Close())
		require.NoError(tb, w.tree.Close())
	})
	return w
}

// lookup binds the first element of a name, except for names that begin with
// "neg".
func (w *world) lookup(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	name := p.Elem(0)
	if p.IsEmpty() || strings.HasPrefix(name, "neg") {
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	return naming.Answer(dtab.LeafOf(naming.Name{Bound: &naming.Bound{
		ID: path("/#/w").Concat(p.Take(1)), Residual: p.Drop(1),
		Addrs: func(ctx context.Context) weft.Source[addrs] { return w.observe(ctx, name) },
	}}))
}

func (w *world) observe(ctx context.Context, name string) weft.Source[addrs] {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live[name]++
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.live[name]--; w.live[name] == 0 {
			delete(w.live, name)
		}
	})
	if v := w.sets[name]; v != nil {
		return v
	}
	return weft.Const[addrs]{V: known(name + ":80")} // names that no test has put
}

// put says what is known of the endpoints of /#/w/name.
func (w *world) put(name string, s addrs) {
	w.mu.Lock()
	v := w.sets[name]
	if v == nil {
		w.sets[name] = weft.NewVar(s)
	}
	w.mu.Unlock()
	if v != nil {
		v.Store(s)
	}
}

func (w *world) flip(rules string) { w.rules.Store(naming.Ok(dtab.MustParse(rules))) }

// conn is what the world's endpoints are reached by.
type conn struct {
	addr  string
	close func()
}

func (c *conn) Close() error { c.close(); return nil }

func (w *world) connect(ep weft.Endpoint, _ *telemetry.Scope) io.Closer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[ep.Addr]++
	return &conn{addr: ep.Addr, close: func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.conns[ep.Addr]--; w.conns[ep.Addr] == 0 {
			delete(w.conns, ep.Addr)
		}
	}}
}

func (w *world) connected() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.conns))
}

func (w *world) watched() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.live))
}

// request makes one request with one attempt that succeeds, and returns the
// address that it went to.
func (w *world) request(ctx context.Context, name string) (string, error) {
	d := w.Dest(path(name), nil)
	defer d.Done(weft.Result{Latency: time.Millisecond})
	p, err := pick(ctx, d)
	if err != nil {
		return "", err
	}
	p.Done(weft.Result{Latency: time.Millisecond})
	return p.Endpoint.Addr(), nil
}

func (w *world) mustRequest(tb testing.TB, name string) string {
	tb.Helper()
	addr, err := w.request(tb.Context(), name)
	require.NoError(tb, err)
	return addr
}

func pick(ctx context.Context, d *transport.Dest) (transport.Pick, error) {
	r, err := d.Route(ctx)
	if err != nil {
		return transport.Pick{}, err
	}
	return r.Pick(ctx, weft.Call{})
}

func mustPick(tb testing.TB, d *transport.Dest) transport.Pick {
	tb.Helper()
	p, err := pick(tb.Context(), d)
	require.NoError(tb, err)
	return p
}

// metric returns a counter or gauge below rt/test, and whether there is one.
func (w *world) metric(elems ...string) (float64, bool) {
	for at, m := range w.tree.Scope("rt", "test").All() {
		if slices.Equal(at, elems) {
			return m.Float + float64(m.Int), true
		}
	}
	return 0, false
}

// scopes returns the names of the scopes in one below rt/test.
func (w *world) scopes(elems ...string) []string {
	names := map[string]bool{}
	for at := range w.tree.Scope("rt", "test").All() {
		if len(at) > len(elems)+1 && slices.Equal(at[:len(elems)], elems) {
			names[at[len(elems)]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func requireMetric(tb testing.TB, w *world, want float64, elems ...string) {
	tb.Helper()
	got, ok := w.metric(elems...)
	require.True(tb, ok, "no metric %s", strings.Join(elems, " "))
	require.InDelta(tb, want, got, 1e-9, "metric %s", strings.Join(elems, " "))
}
