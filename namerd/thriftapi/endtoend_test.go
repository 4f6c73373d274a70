package thriftapi_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/namerd/thriftapi"
	"github.com/weft-mesh/weft/naming"
	client "github.com/weft-mesh/weft/naming/interpreter/namerd"
	"github.com/weft-mesh/weft/naming/static"
)

const eventually = 20 * time.Second

type tree = naming.State[dtab.Tree[*naming.Bound]]

// plane is a control plane: a store, a namer, a namerd.
type plane struct {
	t      *testing.T
	store  *memory.Store
	namer  *static.Namer
	namerd *namerd.Namerd
}

func newPlane(t *testing.T, names ...string) *plane {
	t.Helper()
	namer, err := static.New(static.Config{})
	require.NoError(t, err)
	for i, name := range names {
		require.NoError(t, namer.Set(name, fmt.Sprintf("1.2.3.4:%d", i+1)))
	}
	store := memory.New(memory.Options{})
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	return &plane{t, store, namer, n}
}

func (p *plane) put(d string) {
	p.t.Helper()
	_, err := p.store.Put(p.t.Context(), "default", dtab.MustParse(d), namerd.Note{})
	require.NoError(p.t, err)
}

func (p *plane) serve(at string, o thriftapi.Options) (*thriftapi.Server, string) {
	p.t.Helper()
	ln, err := net.Listen("tcp", at)
	require.NoError(p.t, err)
	s := thriftapi.New(p.namerd, o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	p.t.Cleanup(func() {
		assert.NoError(p.t, s.Close())
		assert.NoError(p.t, <-served)
	})
	return s, ln.Addr().String()
}

func dial(t *testing.T, c client.Config, addr string) *client.Interpreter {
	t.Helper()
	at := naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: addr}}})
	in, err := client.New(c, client.Options{Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
		return weft.Const[naming.State[weft.EndpointSet]]{V: at}
	}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	return in
}

func await[T any](t *testing.T, src weft.Source[T], ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	v, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%+v", v)
	return v
}

func text(t dtab.Tree[*naming.Bound]) string {
	return dtab.Show(t, func(b *naming.Bound) string { return b.ID.Concat(b.Residual).String() })
}

func shows(want string) func(tree) bool {
	return func(st tree) bool { return st.Known && st.Err == nil && text(st.Value) == want }
}

func has(n int) func(naming.State[weft.EndpointSet]) bool {
	return func(st naming.State[weft.EndpointSet]) bool {
		return st.Known && st.Err == nil && len(st.Value.Endpoints) == n
	}
}

// TestFollow: names and endpoints, through writes, a missing namespace, and a server
// that is away for some time.
func TestFollow(t *testing.T) {
	p := newPlane(t, "a", "b")
	s, addr := p.serve("127.0.0.1:0", thriftapi.Options{})
	in := dial(t, client.Config{}, addr)
	src := in.Bind(t.Context(), dtab.MustParse("/local=>/svc/a"), dtab.MustPath("/local/x"))
	await(t, src, shows("~"))
	p.put("/svc=>/#/static")
	ends := await(t, src, shows("/#/static/a/x")).Value.Value.Addrs(t.Context())
	await(t, ends, has(1))
	require.NoError(t, p.namer.Set("a", "1.2.3.4:1", "1.2.3.5:1"))
	await(t, ends, has(2))
	require.NoError(t, p.store.Delete(t.Context(), "default", "", namerd.Note{}))
	await(t, src, shows("~"))
	p.put("/svc/a=>3*/#/static/b & /#/static/a")
	await(t, src, shows("3.00*/#/static/b/x & /#/static/a/x"))

	require.NoError(t, s.Shutdown(context.Background()))
	st := await(t, src, func(st tree) bool { return st.Err != nil })
	assert.True(t, st.Known, "the last good one")
	p.put("/svc/a=>/#/static/a") // while it is away
	p.serve(addr, thriftapi.Options{})
	await(t, src, shows("/#/static/a/x"))
	await(t, ends, has(2))
	rules := await(t, in.Dtab(t.Context()), func(st naming.State[dtab.Dtab]) bool { return st.Known })
	assert.Equal(t, "/svc/a=>/#/static/a", rules.Value.String())

	for _, name := range []string{"/svc/a/x", "/svc/nope"} {
		want, err := p.namerd.Delegate(t.Context(), "default", nil, dtab.MustPath(name))
		require.NoError(t, err)
		got, err := in.Delegate(t.Context(), nil, dtab.MustPath(name))
		require.NoError(t, err)
		wanted, err := want.MarshalJSON()
		require.NoError(t, err)
		explained, err := got.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(wanted), string(explained))
	}
}

// TestTLS: with a certificate of the server, and with one of the client.
func TestTLS(t *testing.T) {
	ca := testcert.New(t, "ca", nil)
	p := newPlane(t, "a")
	p.put("/svc=>/#/static")
	pair := ca.Issue(t, "namerd", "namerd.example").Config(t)
	bind := func(s *tls.Config, c *tls.Config) bool {
		t.Helper()
		_, addr := p.serve("127.0.0.1:0", thriftapi.Options{TLS: s})
		src := dial(t, client.Config{TLS: c}, addr).Bind(t.Context(), nil, dtab.MustPath("/svc/a"))
		return await(t, src, func(st tree) bool { return !st.Pending() }).Known
	}
	roots := &tls.Config{RootCAs: ca.Pool(), ServerName: "namerd.example"}
	assert.True(t, bind(pair, roots))
	assert.False(t, bind(pair, nil), "cleartext")
	assert.False(t, bind(nil, roots), "TLS with a server that has none")
	mutual := pair.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	assert.False(t, bind(mutual, roots), "no certificate")
	with := ca.Issue(t, "proxy", "proxy.example").Config(t)
	with.RootCAs, with.ServerName = ca.Pool(), "namerd.example"
	assert.True(t, bind(mutual, with))
}

// TestManyClients: a write reaches a hundred connections at once.
func TestManyClients(t *testing.T) {
	const clients = 100
	p := newPlane(t, "a", "b")
	p.put("/svc=>/#/static/a")
	_, addr := p.serve("127.0.0.1:0", thriftapi.Options{})
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	var at time.Time
	written := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
	defer cancel()
	for range clients {
		src := dial(t, client.Config{}, addr).Bind(ctx, nil, dtab.MustPath("/svc"))
		await(t, src, shows("/#/static/a"))
		wg.Go(func() {
			_, err := weft.Until(ctx, src, shows("/#/static/b"))
			now := time.Now()
			assert.NoError(t, err)
			<-written
			mu.Lock()
			defer mu.Unlock()
			all = append(all, now.Sub(at))
		})
	}
	at = time.Now()
	close(written)
	p.put("/svc=>/#/static/b")
	wg.Wait()
	slices.Sort(all)
	t.Logf("%d clients saw a write: median %s, p99 %s", clients, all[len(all)/2], all[len(all)*99/100])
}

func Example() {
	namer, err := static.New(static.Config{Names: map[string][]string{"web": {"10.0.0.1:80"}}})
	if err != nil {
		panic(err)
	}
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/static")}})
	defer store.Close()
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	if err != nil {
		panic(err)
	}
	defer n.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := thriftapi.New(n, thriftapi.Options{})
	served := make(chan error)
	go func() { served <- s.Serve(ln) }()

	// A proxy.
	in, err := client.New(client.Config{}, client.Options{
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
			at := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: ln.Addr().String()}}}
			return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(at)}
		},
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	st, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/web")), func(st tree) bool { return st.Known })
	fmt.Println(st.Value.Value.ID, err)

	cancel()
	fmt.Println(in.Close())
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// /#/static/web <nil>
	// <nil>
	// <nil> <nil>
}
