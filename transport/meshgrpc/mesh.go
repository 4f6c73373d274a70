package meshgrpc

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// Mesh makes gRPC connections to names. It is safe for concurrent use; Close ends
// it.
type Mesh struct {
	opts   Options
	router *transport.Router

	closed atomic.Bool
	mu     sync.Mutex             // orders connecting and closing
	open   map[*upstream]struct{} // those that have a ClientConn
	ending sync.WaitGroup         // ClientConns that are being closed
}

// New returns a Mesh. It connects to nothing yet.
func New(opts Options) (*Mesh, error) {
	opts = opts.withDefaults()
	m := &Mesh{open: map[*upstream]struct{}{}}
	services, clients := opts.Mesh.Service, opts.Mesh.Client
	opts.Mesh.Service = func(path dtab.Path) transport.ServiceOptions {
		var s transport.ServiceOptions
		if services != nil {
			s = services(path)
		}
		classifier := opts.Classifier
		if opts.Service != nil {
			if own := opts.Service(path).Classifier; own != nil {
				classifier = own
			}
		}
		s.Adapter = classifier
		return s
	}
	opts.Mesh.Client = func(id dtab.Path) transport.ClientOptions {
		var c transport.ClientOptions
		if clients != nil {
			c = clients(id)
		}
		state := &clientState{}
		if opts.Client != nil {
			state.ClientSettings = opts.Client(id)
		}
		state.plaintext = state.Credentials == nil && opts.Credentials == nil
		var measure sync.Once // before the first attempt, which reads it without a lock
		c.Connect = func(ep weft.Endpoint, metrics *telemetry.Scope) io.Closer {
			measure.Do(func() { state.stats = newClientStats(metrics) })
			return &upstream{mesh: m, addr: ep.Addr, local: ep.Local, state: state}
		}
		return c
	}
	m.opts = opts
	r, err := transport.NewRouter(opts.Mesh)
	if err != nil {
		return nil, err
	}
	m.router = r
	return m, nil
}

// Router returns the router under the mesh.
func (m *Mesh) Router() *transport.Router { return m.router }

// Conn returns a connection to a name: "users" is /svc/users with the default
// Identifier. Making one costs nothing and it needs no closing.
func (m *Mesh) Conn(name string) *Conn {
	c := &Conn{mesh: m, name: name}
	if h, ok := m.opts.Identifier.(HostIdentifier); ok {
		// Its answer never changes: it is found once.
		c.path, c.err = h.Identify(context.Background(), name, "")
		c.fixed = true
	}
	if name != "" {
		c.authority = grpc.CallAuthority(name)
	}
	return c
}

// Close ends the bindings and connections and waits until they are gone. As with
// grpc.ClientConn, calls under way fail with CANCELLED, and so do later ones.
func (m *Mesh) Close() error {
	m.mu.Lock()
	m.closed.Store(true)
	m.mu.Unlock()
	err := m.router.Close()
	m.mu.Lock()
	rest := make([]*upstream, 0, len(m.open))
	for u := range m.open {
		rest = append(rest, u)
	}
	m.mu.Unlock()
	for _, u := range rest {
		_ = u.Close() // never fails
	}
	m.ending.Wait()
	return err
}
