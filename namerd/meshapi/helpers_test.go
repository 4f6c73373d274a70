package meshapi_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
	"github.com/weft-mesh/weft/naming/static"
)

// eventually is how long anything may take.
const eventually = 20 * time.Second

// world is a namerd with a store in memory and a namer at /#/io.l5d.static.
type world struct {
	t      *testing.T
	store  namerd.Store
	namer  *static.Namer
	namerd *namerd.Namerd
}

func newWorld(t *testing.T, dtabs map[string]string) *world {
	t.Helper()
	o := memory.Options{Namespaces: map[string]dtab.Dtab{}}
	for ns, d := range dtabs {
		o.Namespaces[ns] = dtab.MustParse(d)
	}
	return newWorldOver(t, memory.New(o))
}

func newWorldOver(t *testing.T, store namerd.Store) *world {
	t.Helper()
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/io.l5d.static")})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	return &world{t, store, namer, n}
}

func (w *world) put(ns, d string) {
	w.t.Helper()
	_, err := w.store.Put(w.t.Context(), ns, dtab.MustParse(d), namerd.Note{})
	require.NoError(w.t, err)
}

func (w *world) set(name string, addrs ...string) {
	w.t.Helper()
	require.NoError(w.t, w.namer.Set(name, addrs...))
}

// running is a server that serves.
type running struct {
	*meshapi.Server
	addr string
}

func (w *world) serve(o meshapi.Options) *running { return w.serveAt("127.0.0.1:0", o) }

func (w *world) serveAt(addr string, o meshapi.Options) *running {
	w.t.Helper()
	ln, err := net.Listen("tcp", addr)
	require.NoError(w.t, err)
	s := meshapi.New(w.namerd, o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	w.t.Cleanup(func() {
		assert.NoError(w.t, s.Close())
		assert.NoError(w.t, <-served)
	})
	return &running{s, ln.Addr().String()}
}

// conn is a connection of a client that knows nothing but gRPC.
func (r *running) conn(t *testing.T) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(r.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableServiceConfig())
	require.NoError(t, err)
	t.Cleanup(func() { cc.Close() })
	return cc
}

// client is an interpreter that asks the servers at addrs.
func client(t *testing.T, c mesh.Config, addrs ...string) *mesh.Interpreter {
	t.Helper()
	set := weft.EndpointSet{}
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	return clientOf(t, c, weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(set)})
}

func clientOf(t *testing.T, c mesh.Config, endpoints weft.Source[naming.State[weft.EndpointSet]]) *mesh.Interpreter {
	t.Helper()
	in, err := mesh.New(c, mesh.Options{
		Linger:    -1,
		Endpoints: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] { return endpoints },
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, in.Close()) })
	return in
}

type tree = naming.State[dtab.Tree[*naming.Bound]]

func await[T any](t *testing.T, src weft.Source[T], ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	v, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%+v", v)
	return v
}

// show is the text of a bound tree.
func show(t dtab.Tree[*naming.Bound]) string {
	return dtab.Show(t, func(b *naming.Bound) string {
		if b.Residual.IsEmpty() {
			return b.ID.String()
		}
		return b.ID.String() + "+" + b.Residual.String()
	})
}

func shows(text string) func(tree) bool {
	return func(st tree) bool { return st.Known && st.Err == nil && show(st.Value) == text }
}

// has waits for endpoints with exactly the given addresses.
func has(addrs ...string) func(naming.State[weft.EndpointSet]) bool {
	return func(st naming.State[weft.EndpointSet]) bool {
		if !st.Known || st.Err != nil || len(st.Value.Endpoints) != len(addrs) {
			return false
		}
		for i, e := range st.Value.Endpoints {
			if e.Addr != addrs[i] {
				return false
			}
		}
		return true
	}
}

func root(ns string) *meshpb.Path { return &meshpb.Path{Elems: [][]byte{[]byte(ns)}} }

func name(p string) *meshpb.Path { return meshpb.NewPath(dtab.MustPath(p)) }

// text is a tree as a client reads it.
func text(t *testing.T, x *meshpb.BoundNameTree) string {
	t.Helper()
	v, err := x.Value()
	require.NoError(t, err)
	return show(v)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	t.Cleanup(cancel)
	return ctx
}
