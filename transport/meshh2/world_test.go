package meshh2_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

const proxyAddr = "10.9.9.9:4142"

// setup is how a world is made. The zero setup routes /svc/<name> to the endpoints
// that the test starts under the name.
type setup struct {
	rules   string
	mesh    meshh2.Options
	service func(path string) (transport.ServiceOptions, meshh2.ServiceSettings)
	client  func(id string) (transport.ClientOptions, meshh2.ClientSettings)
	server  meshh2.ServerOptions
	conn    http2.Options // of the listener
}

// world is a mesh over a network in memory, with a relay, a listener in front of it,
// and downstreams.
type world struct {
	t     *testing.T
	net   memhttp.Network
	tree  *telemetry.Tree
	relay *meshh2.Relay
	rules *weft.Var[naming.State[dtab.Dtab]]

	mu    sync.Mutex
	sets  map[string]*weft.Var[naming.State[weft.EndpointSet]]
	next  int
	conns []*http2.Conn
	peers []*rawPeer
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
	o.Mesh.Service = func(p dtab.Path) (opts transport.ServiceOptions) {
		if s.service != nil {
			opts, _ = s.service(p.String())
		}
		return opts
	}
	o.Service = func(p dtab.Path) (set meshh2.ServiceSettings) {
		if s.service != nil {
			_, set = s.service(p.String())
		}
		return set
	}
	o.Mesh.Client = func(id dtab.Path) (opts transport.ClientOptions) {
		if s.client != nil {
			opts, _ = s.client(id.String())
		}
		return opts
	}
	o.Client = func(id dtab.Path) (set meshh2.ClientSettings) {
		if s.client != nil {
			_, set = s.client(id.String())
		}
		if set.Dial == nil {
			set.Dial = w.net.Dial
		}
		return set
	}
	var err error
	w.relay, err = meshh2.New(o)
	require.NoError(t, err)
	s.server.Relay, s.server.Label, s.server.Metrics = w.relay, "r1", w.tree.Scope("rt", "r1", "server", "10.9.9.9/4142")
	listener, err := w.net.Listen(proxyAddr)
	require.NoError(t, err)
	handler := meshh2.NewHandler(s.server)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { _ = w.conn(nc, s.conn, handler).Serve() })
		}
	})
	t.Cleanup(func() {
		for _, p := range w.peers {
			p.close()
		}
		_ = listener.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		serving.Wait()
		require.NoError(t, w.relay.Close())
		require.NoError(t, in.Close())
		require.NoError(t, w.tree.Close())
	})
	return w
}

// conn is a caller's connection at the listener.
func (w *world) conn(nc net.Conn, o http2.Options, h *meshh2.Handler) *http2.Conn {
	var accept http2.Accept
	c := http2.NewServerConn(nc, o, func(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
		return accept(s, fields, end)
	})
	accept = h.Accept(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c
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

// global binds the answers that have no endpoint, as the global namer does.
func global(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
	if p.Len() < 3 || p.Elem(1) != "io.buoyant.http.status" {
		return naming.Answer(dtab.Tree[naming.Name]{})
	}
	ep := weft.Endpoint{Addr: "0.0.0.0:0", Local: "http.status/" + p.Elem(2)}
	return naming.Answer(dtab.LeafOf(naming.Fixed(p.Take(3), p.Drop(3), weft.EndpointSet{Endpoints: []weft.Endpoint{ep}})))
}

// put says what the endpoints of a name are.
func (w *world) put(name string, addrs ...string) {
	var set weft.EndpointSet
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
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
	synctest.Wait()
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

func (w *world) server(elems ...string) int {
	return w.count(append([]string{"server", "10.9.9.9/4142"}, elems...)...)
}

// caller returns a connection to the listener, frame by frame.
func (w *world) caller(settings ...xhttp2.Setting) *rawPeer {
	w.t.Helper()
	nc, err := w.net.Dial(w.t.Context(), proxyAddr)
	require.NoError(w.t, err)
	p := newRawPeer(w.t, nc, true, settings...)
	w.peers = append(w.peers, p)
	return p
}

// rawEndpoint is an endpoint that the test plays frame by frame.
type rawEndpoint struct {
	w        *world
	addr     string
	listener *memhttp.Listener
	settings []xhttp2.Setting

	mu    sync.Mutex
	peers []*rawPeer
}

// raw starts an endpoint under the name.
func (w *world) raw(name string, settings ...xhttp2.Setting) *rawEndpoint {
	w.t.Helper()
	e := w.rawAt(w.address(), settings...)
	if name != "" {
		w.put(name, e.addr)
	}
	return e
}

func (w *world) rawAt(addr string, settings ...xhttp2.Setting) *rawEndpoint {
	w.t.Helper()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	e := &rawEndpoint{w: w, addr: addr, listener: l, settings: settings}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			e.mu.Lock()
			p := &rawPeer{t: w.t, nc: nc, fr: xhttp2.NewFramer(nc, nc), base: 2}
			p.enc = hpack.NewEncoder(&p.buf)
			p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			e.peers = append(e.peers, p)
			e.mu.Unlock()
			go p.read(false, e.settings)
		}
	}()
	w.t.Cleanup(func() {
		_ = l.Close()
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, p := range e.peers {
			p.close()
		}
	})
	return e
}

// peer returns the last connection that was made to it.
func (e *rawEndpoint) peer() *rawPeer {
	e.w.t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.NotEmpty(e.w.t, e.peers, "nobody has connected")
	return e.peers[len(e.peers)-1]
}

// connections returns how many there were.
func (e *rawEndpoint) connections() int {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.peers)
}

// serve starts an endpoint that runs a handler on net/http's HTTP/2.
func (w *world) serve(name string, h http.HandlerFunc) string {
	w.t.Helper()
	addr := w.address()
	srv := &http.Server{Handler: h, Protocols: &http.Protocols{}}
	srv.Protocols.SetUnencryptedHTTP2(true)
	s, err := memhttp.Start(&w.net, addr, srv)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = s.Close() })
	w.put(name, addr)
	return addr
}

// http returns a client of net/http that talks HTTP/2 to the listener whatever the
// host.
func (w *world) http() *http.Client {
	tr := &http.Transport{Protocols: &http.Protocols{}, DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return w.net.Dial(ctx, proxyAddr)
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	w.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// get requests http://<name>/ and returns the response with its body read.
func (w *world) get(c *http.Client, name string) (*http.Response, string) {
	w.t.Helper()
	resp, err := c.Get("http://" + name + "/")
	require.NoError(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return resp, string(b)
}
