package meshgrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a set of in-memory listeners with addresses.
type network struct {
	real bool // loopback instead
	mu   sync.Mutex
	m    map[string]*bufconn.Listener
}

func (n *network) listen(addr string) *bufconn.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.m == nil {
		n.m = map[string]*bufconn.Listener{}
	}
	n.m[addr] = bufconn.Listen(1 << 16)
	return n.m[addr]
}

// gone has nobody listen at addr any more; what is connected stays so.
func (n *network) gone(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.m, addr)
}

func (n *network) dial(ctx context.Context, addr string) (net.Conn, error) {
	if n.real {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
	n.mu.Lock()
	l := n.m[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, errors.New("connection refused")
	}
	return l.DialContext(ctx)
}

// backend is a test service that answers with its id.
type backend struct {
	testgrpc.UnimplementedTestServiceServer
	id     string
	unary  func(context.Context, *testgrpc.SimpleRequest) error // nil succeeds
	output func(grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error
	calls  atomic.Int64
	server *grpc.Server

	mu sync.Mutex
	md metadata.MD // of the last call
}

func (b *backend) note(ctx context.Context) {
	b.calls.Add(1)
	md, _ := metadata.FromIncomingContext(ctx)
	b.mu.Lock()
	b.md = md
	b.mu.Unlock()
}

func (b *backend) seen() metadata.MD {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.md
}

func (b *backend) UnaryCall(ctx context.Context, req *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	b.note(ctx)
	if b.unary != nil {
		if err := b.unary(ctx, req); err != nil {
			return nil, err
		}
	}
	return &testgrpc.SimpleResponse{ServerId: b.id}, nil
}

func (b *backend) StreamingOutputCall(_ *testgrpc.StreamingOutputCallRequest, s grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
	b.note(s.Context())
	if b.output != nil {
		return b.output(s)
	}
	for range 3 {
		if err := s.Send(b.message()); err != nil {
			return err
		}
	}
	return nil
}

func (b *backend) StreamingInputCall(s grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error {
	b.note(s.Context())
	var n int32
	for {
		_, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&testgrpc.StreamingInputCallResponse{AggregatedPayloadSize: n})
		}
		if err != nil {
			return err
		}
		n++
	}
}

func (b *backend) FullDuplexCall(s grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
	b.note(s.Context())
	for {
		if _, err := s.Recv(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := s.Send(b.message()); err != nil {
			return err
		}
	}
}

func (b *backend) message() *testgrpc.StreamingOutputCallResponse {
	return &testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: []byte(b.id)}}
}

// world is a mesh over in-memory backends.
type world struct {
	t      testing.TB
	net    network
	mesh   *meshgrpc.Mesh
	interp *naming.Default

	mu    sync.Mutex
	names map[string]*weft.Var[naming.State[weft.EndpointSet]]
}

// newWorld makes a mesh whose dtab is /svc => /#/t.
func newWorld(tb testing.TB, opts meshgrpc.Options) *world {
	tb.Helper()
	w := &world{t: tb, names: map[string]*weft.Var[naming.State[weft.EndpointSet]]{}}
	base := dtab.MustParse("/svc=>/#/t")
	w.interp = naming.NewInterpreter(naming.Options{
		Base: base,
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/t"), Namer: naming.NamerFunc(
			func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
				id, err := dtab.PathOf("#", "t", p.Elem(0))
				if err != nil {
					return naming.AnswerErr(err)
				}
				return naming.Answer(dtab.LeafOf(naming.Following(id, p.Drop(1), w.name(p.Elem(0)))))
			})}},
	})
	opts.Mesh.Interpreter, opts.Mesh.Base = w.interp, base
	if opts.Dial == nil {
		opts.Dial = w.net.dial
	}
	mesh, err := meshgrpc.New(opts)
	require.NoError(tb, err)
	w.mesh = mesh
	tb.Cleanup(w.close)
	return w
}

func (w *world) close() {
	require.NoError(w.t, w.mesh.Close())
	require.NoError(w.t, w.interp.Close())
}

func (w *world) name(name string) *weft.Var[naming.State[weft.EndpointSet]] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.names[name] == nil {
		w.names[name] = weft.NewVar(naming.State[weft.EndpointSet]{})
	}
	return w.names[name]
}

// set makes addrs the endpoints of name.
func (w *world) set(name string, addrs ...string) {
	var set weft.EndpointSet
	for _, a := range addrs {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: a})
	}
	w.name(name).Store(naming.Ok(set))
}

// serve starts b at addr.
func (w *world) serve(addr string, b *backend, opts ...grpc.ServerOption) *backend {
	if b == nil {
		b = &backend{}
	}
	if b.id == "" {
		b.id = addr
	}
	b.server = grpc.NewServer(opts...)
	testgrpc.RegisterTestServiceServer(b.server, b)
	l := w.net.listen(addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.server.Serve(l)
	}()
	w.t.Cleanup(func() {
		b.server.Stop()
		<-done
	})
	return b
}

func (w *world) client(name string) testgrpc.TestServiceClient {
	return testgrpc.NewTestServiceClient(w.mesh.Conn(name))
}

// clientOptions gives every client the same settings.
func clientOptions(c transport.ClientOptions) func(dtab.Path) transport.ClientOptions {
	return func(dtab.Path) transport.ClientOptions { return c }
}

// serviceOptions gives every service the same settings.
func serviceOptions(s transport.ServiceOptions) func(dtab.Path) transport.ServiceOptions {
	return func(dtab.Path) transport.ServiceOptions { return s }
}
