package meshhttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

const proxyAddr = "10.9.9.9:4140"

// setup is how a world is made. The zero setup routes /svc/<name> to the endpoints
// that the test starts under the name.
type setup struct {
	rules   string
	mesh    meshhttp.Options
	service func(path string) (transport.ServiceOptions, meshhttp.ServiceSettings)
	client  func(id string) (transport.ClientOptions, meshhttp.ClientSettings)
	server  meshhttp.ServerOptions
	engine  engine
}

// engine is what carries requests to and from the mesh.
type engine string

const (
	ours     engine = ""         // package http1
	recycled engine = "recycled" // the same, as the proxy uses it: for the listener only
	netHTTP  engine = "net/http"
)

// world is a mesh over a network in memory, with a transport, a listener in front
// of it, and downstreams.
type world struct {
	t     *testing.T
	net   memhttp.Network
	tree  *telemetry.Tree
	mesh  *meshhttp.Transport
	rules *weft.Var[naming.State[dtab.Dtab]]

	mu   sync.Mutex
	sets map[string]*weft.Var[naming.State[weft.EndpointSet]]
	next int
}

// inWorld runs f with a world in a bubble, in which time passes only while
// everybody waits.
func inWorld(t *testing.T, s setup, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(newWorld(t, s))
	})
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	if s.rules == "" {
		s.rules = "/svc => /#/w"
	}
	w := &world{
		t: t, tree: telemetry.NewTree(telemetry.Options{Window: -1}), sets: map[string]*weft.Var[naming.State[weft.EndpointSet]]{},
		rules: weft.NewVar(naming.Ok(dtab.MustParse(s.rules))),
	}
	in := naming.NewInterpreter(naming.Options{
		Stored: w.rules, Settle: -1,
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/w"), Namer: naming.NamerFunc(w.lookup)}},
		Global: naming.NamerFunc(global),
	})
	o := s.mesh
	o.Mesh.Interpreter, o.Mesh.Label, o.Mesh.Metrics = in, "r1", w.tree.Scope("rt", "r1")
	o.Mesh.Base = dtab.MustParse(s.rules)
	o.Mesh.Service = func(p dtab.Path) transport.ServiceOptions {
		if s.service == nil {
			return transport.ServiceOptions{}
		}
		opts, _ := s.service(p.String())
		return opts
	}
	o.Service = func(p dtab.Path) meshhttp.ServiceSettings {
		if s.service == nil {
			return meshhttp.ServiceSettings{}
		}
		_, set := s.service(p.String())
		return set
	}
	o.Mesh.Client = func(id dtab.Path) transport.ClientOptions {
		if s.client == nil {
			return transport.ClientOptions{}
		}
		opts, _ := s.client(id.String())
		return opts
	}
	o.Client = func(id dtab.Path) meshhttp.ClientSettings {
		var set meshhttp.ClientSettings
		if s.client != nil {
			_, set = s.client(id.String())
		}
		if set.Dial == nil {
			set.Dial = w.net.Dial
		}
		return set
	}
	o.NetHTTP, o.Recycle = s.engine == netHTTP, s.engine == recycled
	var err error
	w.mesh, err = meshhttp.New(o)
	require.NoError(t, err)
	s.server.Transport, s.server.Label, s.server.Metrics = w.mesh, "r1", w.tree.Scope("rt", "r1", "server", "10.9.9.9/4140")
	srv := w.front(s)
	t.Cleanup(func() {
		require.NoError(t, srv.Close())
		require.NoError(t, w.mesh.Close())
		require.NoError(t, in.Close())
		require.NoError(t, w.tree.Close())
	})
	return w
}

// front starts the listener in front of the mesh.
func (w *world) front(s setup) io.Closer {
	if s.engine == netHTTP {
		srv, err := memhttp.Start(&w.net, proxyAddr, &http.Server{
			Handler: meshhttp.NewHandler(s.server), MaxHeaderBytes: 12 << 10, ConnContext: meshhttp.WithConnLabel, DisableGeneralOptionsHandler: true,
		})
		require.NoError(w.t, err)
		return srv
	}
	s.server.Recycle = s.engine == recycled
	srv := http1.NewServer(http1.ServerOptions{
		Handler: meshhttp.NewHandler(s.server), Recycle: s.server.Recycle, NoDate: true, BaseContext: meshhttp.WithConnLabel,
	})
	l, err := w.net.Listen(proxyAddr)
	require.NoError(w.t, err)
	go func() { _ = srv.Serve(l) }()
	return srv
}

// lookup binds the first element of a name: "neg…" to nothing, everything else to
// what the test says of it.
func (w *world) lookup(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	name := p.Elem(0)
	w.mu.Lock()
	set := w.sets[name]
	w.mu.Unlock()
	switch {
	case strings.HasPrefix(name, "pending"):
		return weft.NewVar(naming.State[dtab.Tree[naming.Name]]{})
	case set == nil:
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	return naming.Answer(dtab.LeafOf(naming.Name{Bound: &naming.Bound{
		ID: dtab.MustPath("/#/w").Concat(p.Take(1)), Residual: p.Drop(1),
		Addrs: func(context.Context) weft.Source[naming.State[weft.EndpointSet]] { return set },
	}}))
}

// global binds /$/inet/<host>/<port>, as the global namer does, and the answers
// that have no endpoint.
func global(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	var ep weft.Endpoint
	n := 4
	switch {
	case p.Len() >= 4 && p.Elem(1) == "inet":
		host := p.Elem(2)
		if host == "127.1" {
			host = "127.0.0.1"
		}
		ep.Addr = host + ":" + p.Elem(3)
	case p.Len() >= 3 && p.Elem(1) == "io.buoyant.http.status":
		n = 3
		ep = weft.Endpoint{Addr: "0.0.0.0:0", Local: "http.status/" + p.Elem(2)}
	default:
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	return naming.Answer(dtab.LeafOf(naming.Fixed(p.Take(n), p.Drop(n), weft.EndpointSet{Endpoints: []weft.Endpoint{ep}})))
}

// put says what the endpoints of a name are.
func (w *world) put(name string, addrs ...string) {
	var set weft.EndpointSet
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	w.putSet(name, set)
}

func (w *world) putSet(name string, set weft.EndpointSet) {
	w.mu.Lock()
	v := w.sets[name]
	if v == nil {
		w.sets[name] = weft.NewVar(naming.Ok(set))
	}
	w.mu.Unlock()
	if v != nil {
		v.Store(naming.Ok(set))
	}
}

// address returns one that nobody listens on yet.
func (w *world) address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return fmt.Sprintf("10.0.0.%d:80", w.next)
}

// count returns the counter or gauge below rt/r1, 0 if there is none.
func (w *world) count(elems ...string) int {
	for at, m := range w.tree.Scope("rt", "r1").All() {
		if slices.Equal(at, elems) {
			return int(m.Int) + int(m.Float)
		}
	}
	return 0
}

func (w *world) service(name string, elems ...string) int {
	return w.count(append([]string{"service", "svc/" + name}, elems...)...)
}

func (w *world) client(name string, elems ...string) int {
	return w.count(append([]string{"client", "#/w/" + name}, elems...)...)
}
