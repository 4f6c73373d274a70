package meshgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// conns counts the connections that a server has.
type conns struct{ open, total atomic.Int64 }

func (c *conns) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c *conns) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *conns) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (c *conns) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		c.open.Add(1)
		c.total.Add(1)
	case *stats.ConnEnd:
		c.open.Add(-1)
	}
}

// conversation is one stream of each kind that is under way on an endpoint.
type conversation struct {
	t    *testing.T
	id   string
	bidi grpc.BidiStreamingClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]
	up   grpc.ClientStreamingClient[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]
	down grpc.ServerStreamingClient[testgrpc.StreamingOutputCallResponse]
	sent int32
}

// converse begins a stream of each kind; the backend's output must block on more.
func converse(t *testing.T, c testgrpc.TestServiceClient, id string) *conversation {
	t.Helper()
	v := &conversation{t: t, id: id}
	var err error
	v.bidi, err = c.FullDuplexCall(t.Context())
	require.NoError(t, err)
	v.up, err = c.StreamingInputCall(t.Context())
	require.NoError(t, err)
	v.down, err = c.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	v.talk(nil)
	return v
}

// talk moves a message on each of the streams; more lets the backend send one.
func (v *conversation) talk(more chan struct{}) {
	v.t.Helper()
	require.NoError(v.t, v.bidi.Send(&testgrpc.StreamingOutputCallRequest{}))
	m, err := v.bidi.Recv()
	require.NoError(v.t, err)
	assert.Equal(v.t, v.id, string(m.GetPayload().GetBody()))
	require.NoError(v.t, v.up.Send(&testgrpc.StreamingInputCallRequest{}))
	v.sent++
	if more != nil {
		more <- struct{}{}
	}
	m, err = v.down.Recv()
	require.NoError(v.t, err)
	assert.Equal(v.t, v.id, string(m.GetPayload().GetBody()))
}

// end ends the streams as their peers expect it.
func (v *conversation) end(more chan struct{}) {
	v.t.Helper()
	require.NoError(v.t, v.bidi.CloseSend())
	_, err := v.bidi.Recv()
	require.Equal(v.t, io.EOF, err)
	r, err := v.up.CloseAndRecv()
	require.NoError(v.t, err)
	assert.Equal(v.t, v.sent, r.GetAggregatedPayloadSize(), "every message arrived")
	close(more)
	_, err = v.down.Recv()
	require.Equal(v.t, io.EOF, err)
}

// talker is a backend whose downloads have a message to begin with and then one for
// everything that comes on more.
func talker(more chan struct{}) *backend {
	b := &backend{}
	b.output = func(s grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
		for {
			if err := s.Send(b.message()); err != nil {
				return err
			}
			if _, ok := <-more; !ok {
				return nil
			}
		}
	}
	return b
}

// elsewhere waits until calls go to id, and none of them fails meanwhile.
func elsewhere(t *testing.T, c testgrpc.TestServiceClient, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, err := call(t.Context(), c)
		require.NoError(t, err)
		return got == id
	}, 5*time.Second, time.Millisecond)
	for range 20 {
		got, err := call(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, id, got)
	}
}

// TestStreamsOfAnEndpointThatLeaves: they go on to their natural end, new calls go
// elsewhere, and the connection is closed after the last stream.
func TestStreamsOfAnEndpointThatLeaves(t *testing.T) {
	for name, leave := range map[string]func(w *world, b *backend, stopped chan struct{}){
		"discovery drops it": func(w *world, _ *backend, stopped chan struct{}) {
			w.set("users", "10.0.0.2:1")
			close(stopped)
		},
		"it says GOAWAY": func(_ *world, b *backend, stopped chan struct{}) {
			go func() {
				defer close(stopped)
				b.server.GracefulStop()
			}()
		},
		"both": func(w *world, b *backend, stopped chan struct{}) {
			w.set("users", "10.0.0.2:1")
			go func() {
				defer close(stopped)
				b.server.GracefulStop()
			}()
		},
		"the name is gone, and comes back": func(w *world, _ *backend, stopped chan struct{}) {
			w.name("users").Store(naming.Ok(weft.EndpointSet{Neg: true}))
			for {
				if _, err := call(w.t.Context(), w.client("users")); err != nil {
					break
				}
			}
			w.set("users", "10.0.0.2:1")
			for {
				if _, err := call(w.t.Context(), w.client("users")); err == nil {
					break
				}
			}
			close(stopped)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, never())
			var c conns
			more := make(chan struct{})
			b := w.serve("10.0.0.1:1", talker(more), grpc.StatsHandler(&c))
			w.serve("10.0.0.2:1", nil)
			w.set("users", "10.0.0.1:1")
			client := w.client("users")
			v := converse(t, client, "10.0.0.1:1")
			if name == "it says GOAWAY" {
				w.set("users", "10.0.0.1:1", "10.0.0.2:1")
			}
			stopped := make(chan struct{})
			leave(w, b, stopped)
			elsewhere(t, client, "10.0.0.2:1")
			for range 3 {
				v.talk(more)
			}
			assert.EqualValues(t, 1, c.open.Load(), "as long as there are streams")
			v.end(more)
			w.idle()
			require.Eventually(t, func() bool { return c.open.Load() == 0 }, 5*time.Second, time.Millisecond, "closed after the last stream")
			assert.EqualValues(t, 1, c.total.Load())
			<-stopped
		})
	}
}

// kinds are calls of every kind; each is done when the endpoint has said so.
func kinds() map[string]func(context.Context, testgrpc.TestServiceClient) error {
	return map[string]func(context.Context, testgrpc.TestServiceClient) error{
		"unary": func(ctx context.Context, c testgrpc.TestServiceClient) error {
			_, err := call(ctx, c)
			return err
		},
		"server": func(ctx context.Context, c testgrpc.TestServiceClient) error {
			s, err := c.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{})
			if err != nil {
				return err
			}
			ids, err := receive(s)
			if err == nil && len(ids) != 3 {
				err = fmt.Errorf("%d messages", len(ids))
			}
			return err
		},
		"client": func(ctx context.Context, c testgrpc.TestServiceClient) error {
			s, err := c.StreamingInputCall(ctx)
			if err != nil {
				return err
			}
			for range 3 {
				if s.Send(&testgrpc.StreamingInputCallRequest{}) != nil {
					break // CloseAndRecv says why
				}
			}
			r, err := s.CloseAndRecv()
			if err == nil && r.GetAggregatedPayloadSize() != 3 {
				err = fmt.Errorf("%d messages arrived", r.GetAggregatedPayloadSize())
			}
			return err
		},
		"bidi": func(ctx context.Context, c testgrpc.TestServiceClient) error {
			s, err := c.FullDuplexCall(ctx)
			if err != nil {
				return err
			}
			for range 3 {
				if err := s.Send(&testgrpc.StreamingOutputCallRequest{}); err != nil && !errors.Is(err, io.EOF) {
					return err
				}
				if _, err := s.Recv(); err != nil {
					return err
				}
			}
			if err := s.CloseSend(); err != nil {
				return err
			}
			if _, err := s.Recv(); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		},
	}
}

// fleet is servers on loopback that are replaced one after the other.
type fleet struct {
	w       *world
	opts    []grpc.ServerOption
	mu      sync.Mutex
	addrs   []string
	servers []*grpc.Server
}

func (f *fleet) start(i int) {
	var lc net.ListenConfig
	l, err := lc.Listen(f.w.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(f.w.t, err)
	b := &backend{id: l.Addr().String(), unary: func(context.Context, *testgrpc.SimpleRequest) error {
		time.Sleep(200 * time.Microsecond)
		return nil
	}}
	s := grpc.NewServer(f.opts...)
	testgrpc.RegisterTestServiceServer(s, b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	f.w.t.Cleanup(func() {
		s.Stop()
		<-done
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addrs[i], f.servers[i] = l.Addr().String(), s
}

// announce makes them the endpoints.
func (f *fleet) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.w.set("users", f.addrs...)
}

// load makes calls of every kind until the test is over, of which none may fail.
// what it returns waits for n more of them.
func load(w *world) (more func(n int64), end func()) {
	var wg sync.WaitGroup
	var calls atomic.Int64
	stop := make(chan struct{})
	var mu sync.Mutex
	failures := map[string]int{}
	for kind, do := range kinds() {
		for range 4 {
			wg.Go(func() {
				c := w.client("users")
				for {
					select {
					case <-stop:
						return
					default:
					}
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					if err := do(ctx, c); err != nil {
						mu.Lock()
						failures[kind+": "+err.Error()]++
						mu.Unlock()
					}
					cancel()
					calls.Add(1)
				}
			})
		}
	}
	more = func(n int64) {
		for before := calls.Load(); calls.Load() < before+n; {
			time.Sleep(time.Millisecond)
		}
	}
	return more, func() {
		close(stop)
		wg.Wait()
		assert.Empty(w.t, failures)
		w.idle()
		w.t.Logf("%d calls", calls.Load())
	}
}

func newFleet(t *testing.T, n int, opts ...grpc.ServerOption) *fleet {
	t.Helper()
	w := newWorld(t, never()) // nothing is sent again but what was provably not processed
	w.net.real = true
	f := &fleet{w: w, opts: opts, addrs: make([]string, n), servers: make([]*grpc.Server, n)}
	for i := range n {
		f.start(i)
	}
	f.announce()
	return f
}

// TestRollingRestart replaces every server of a service under load, gracefully: no
// call of any kind fails, whoever of the server and discovery is first.
func TestRollingRestart(t *testing.T) {
	f := newFleet(t, 3)
	more, end := load(f.w)
	for round := range 12 {
		i := round % 3
		old := f.servers[i]
		f.start(i)
		if round%2 == 0 {
			f.announce()
			more(50)
			old.GracefulStop()
		} else { // nobody listens there for a while
			old.GracefulStop()
			more(50)
			f.announce()
		}
		more(100)
	}
	end()
}

// TestEndpointsThatComeAndGo: their servers are well all the time.
func TestEndpointsThatComeAndGo(t *testing.T) {
	f := newFleet(t, 4)
	more, end := load(f.w)
	for round := range 100 {
		f.w.set("users", f.addrs[round%4], f.addrs[(round+1)%4])
		more(10)
	}
	end()
}

// TestConnectionsOfLimitedAge: their server says GOAWAY to each of them all the
// time.
func TestConnectionsOfLimitedAge(t *testing.T) {
	f := newFleet(t, 2, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 10 * time.Millisecond}))
	more, end := load(f.w)
	more(2000)
	end()
}
