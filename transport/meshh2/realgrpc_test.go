package meshh2_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// greeter is a gRPC service with a method of every kind.
type greeter struct {
	testgrpc.UnimplementedTestServiceServer
	unary func(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error)
}

func (g *greeter) UnaryCall(ctx context.Context, r *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return g.unary(ctx, r)
}

func (*greeter) StreamingOutputCall(r *testgrpc.StreamingOutputCallRequest, s grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
	for _, p := range r.GetResponseParameters() {
		err := s.Send(&testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: make([]byte, p.GetSize())}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (*greeter) StreamingInputCall(s grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error {
	total := 0
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&testgrpc.StreamingInputCallResponse{AggregatedPayloadSize: int32(total)})
		}
		if err != nil {
			return err
		}
		total += len(r.GetPayload().GetBody())
	}
}

func (*greeter) FullDuplexCall(s grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&testgrpc.StreamingOutputCallResponse{Payload: r.GetPayload()}); err != nil {
			return err
		}
	}
}

// grpc starts a real gRPC server under the name and returns a way to stop it.
func (w *world) grpc(name string, g *greeter) *grpc.Server {
	w.t.Helper()
	addr := w.address()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	s := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(s, g)
	go func() { _ = s.Serve(l) }()
	w.t.Cleanup(s.Stop)
	if name != "" {
		w.put(name, addr)
	}
	return s
}

// stub returns a real gRPC client of the service through the listener.
func (w *world) stub(name string) testgrpc.TestServiceClient {
	w.t.Helper()
	cc, err := grpc.NewClient("passthrough:///"+name,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.net.Dial(ctx, proxyAddr) }))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = cc.Close() })
	return testgrpc.NewTestServiceClient(cc)
}

func echo(_ context.Context, r *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return &testgrpc.SimpleResponse{Payload: r.GetPayload()}, nil
}

func grpcService() func(string) (transport.ServiceOptions, meshh2.ServiceSettings) {
	return services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.GRPC{}})
}

func TestGRPCCallsOfEveryKind(t *testing.T) {
	inWorld(t, setup{service: grpcService()}, func(w *world) {
		w.grpc("dog", &greeter{unary: echo})
		c := w.stub("dog")
		ctx := w.t.Context()
		body := &testgrpc.Payload{Body: make([]byte, 300_000)}

		r, err := c.UnaryCall(ctx, &testgrpc.SimpleRequest{Payload: body})
		require.NoError(t, err)
		assert.Len(t, r.GetPayload().GetBody(), 300_000)

		in, err := c.StreamingInputCall(ctx)
		require.NoError(t, err)
		for range 5 {
			require.NoError(t, in.Send(&testgrpc.StreamingInputCallRequest{Payload: body}))
		}
		sum, err := in.CloseAndRecv()
		require.NoError(t, err)
		assert.EqualValues(t, 1_500_000, sum.GetAggregatedPayloadSize())

		out, err := c.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{ResponseParameters: []*testgrpc.ResponseParameters{{Size: 1}, {Size: 200_000}, {Size: 3}}})
		require.NoError(t, err)
		var sizes []int
		for {
			m, err := out.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			sizes = append(sizes, len(m.GetPayload().GetBody()))
		}
		assert.Equal(t, []int{1, 200_000, 3}, sizes)
		assert.Equal(t, []string{"1.0"}, out.Trailer().Get("l5d-success-class"))

		both, err := c.FullDuplexCall(ctx)
		require.NoError(t, err)
		for range 3 {
			require.NoError(t, both.Send(&testgrpc.StreamingOutputCallRequest{Payload: body}))
			m, err := both.Recv()
			require.NoError(t, err)
			assert.Len(t, m.GetPayload().GetBody(), 300_000)
		}
		require.NoError(t, both.CloseSend())
		_, err = both.Recv()
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 4, w.service("dog", "success"))
	})
}

func TestGRPCStatusAndMetadata(t *testing.T) {
	inWorld(t, setup{service: grpcService()}, func(w *world) {
		w.grpc("dog", &greeter{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			assert.Equal(t, []string{"a", "b"}, md.Get("x-in"))
			assert.Equal(t, []string{"\x00\xff"}, md.Get("x-in-bin"))
			_ = grpc.SetTrailer(ctx, metadata.Pairs("x-out", "c"))
			return nil, status.Error(codes.FailedPrecondition, "näh: 100 %")
		}})
		ctx := metadata.AppendToOutgoingContext(w.t.Context(), "x-in", "a", "x-in", "b", "x-in-bin", "\x00\xff")
		var trailer metadata.MD
		_, err := w.stub("dog").UnaryCall(ctx, &testgrpc.SimpleRequest{}, grpc.Trailer(&trailer))
		assert.Equal(t, codes.FailedPrecondition, status.Code(err))
		assert.Equal(t, "näh: 100 %", status.Convert(err).Message())
		assert.Equal(t, []string{"c"}, trailer.Get("x-out"))
		assert.Equal(t, []string{"0.0"}, trailer.Get("l5d-success-class"))
		assert.Equal(t, 1, w.service("dog", "failures"))

		// Errors of the mesh are gRPC's too.
		_, err = w.stub("neg").UnaryCall(w.t.Context(), &testgrpc.SimpleRequest{})
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.Contains(t, status.Convert(err).Message(), "Unable to route request!")
	})
}

func TestGRPCRetriesUnavailable(t *testing.T) {
	inWorld(t, setup{service: grpcService()}, func(w *world) {
		tries := 0
		w.grpc("dog", &greeter{unary: func(ctx context.Context, r *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			if tries++; tries < 4 {
				return nil, status.Error(codes.Unavailable, "not yet")
			}
			return echo(ctx, r)
		}})
		_, err := w.stub("dog").UnaryCall(w.t.Context(), &testgrpc.SimpleRequest{Payload: &testgrpc.Payload{Body: make([]byte, 1000)}})
		require.NoError(t, err)
		assert.Equal(t, 4, tries)
		assert.Equal(t, 3, w.service("dog", "retries", "total"))
		assert.Equal(t, 1, w.service("dog", "requests"))
		assert.Equal(t, 4, w.client("dog", "requests"))
	})
}

func TestGRPCDeadlineAndCancel(t *testing.T) {
	inWorld(t, setup{service: grpcService()}, func(w *world) {
		ended := make(chan error, 1)
		w.grpc("dog", &greeter{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			_, has := ctx.Deadline()
			assert.True(t, has || ctx.Err() == nil)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, status.FromContextError(ctx.Err()).Err()
		}})
		c := w.stub("dog")
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		_, err := c.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
		<-ended

		ctx, stop := context.WithCancel(w.t.Context())
		time.AfterFunc(time.Second, stop)
		_, err = c.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		assert.Equal(t, codes.Canceled, status.Code(err))
		require.ErrorIs(t, <-ended, context.Canceled)
		synctest.Wait()
		assert.Equal(t, 0, w.service("dog", "pending"))
		assert.Equal(t, 0, w.client("dog", "open_streams"))
	})
}

// An endpoint that shuts down gracefully fails nobody, and one that dies fails the
// calls that it had.
func TestGRPCEndpointGoes(t *testing.T) {
	inWorld(t, setup{service: grpcService()}, func(w *world) {
		var addrs []string
		var servers []*grpc.Server
		for range 2 {
			addrs = append(addrs, w.nextAddress())
			servers = append(servers, w.grpc("", &greeter{unary: func(ctx context.Context, r *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
				time.Sleep(10 * time.Millisecond)
				return echo(ctx, r)
			}}))
		}
		w.put("dog", addrs...)
		c := w.stub("dog")
		failed := make(chan error, 1000)
		calls := make(chan struct{}, 1000)
		ctx, stop := context.WithCancel(w.t.Context())
		for range 20 {
			go func() {
				for ctx.Err() == nil {
					if _, err := c.UnaryCall(w.t.Context(), &testgrpc.SimpleRequest{}); err != nil {
						failed <- err
					}
					calls <- struct{}{}
				}
				failed <- nil
			}()
		}
		time.Sleep(100 * time.Millisecond)
		both, err := c.FullDuplexCall(w.t.Context())
		require.NoError(t, err)
		require.NoError(t, both.Send(&testgrpc.StreamingOutputCallRequest{}))
		_, err = both.Recv()
		require.NoError(t, err)
		go servers[0].GracefulStop()
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, both.Send(&testgrpc.StreamingOutputCallRequest{}), "streams live on")
		_, err = both.Recv()
		require.NoError(t, err)
		require.NoError(t, both.CloseSend())
		time.Sleep(100 * time.Millisecond)
		stop()
		for range 20 {
			require.NoError(t, <-failed)
		}
		assert.Greater(t, len(calls), 200)
		assert.Equal(t, 0, w.service("dog", "failures"))

		both, err = c.FullDuplexCall(w.t.Context())
		require.NoError(t, err)
		require.NoError(t, both.Send(&testgrpc.StreamingOutputCallRequest{}))
		_, err = both.Recv()
		require.NoError(t, err)
		servers[1].Stop()
		_, err = both.Recv()
		assert.Equal(t, codes.Unavailable, status.Code(err))
	})
}

// nextAddress is the one that address will return.
func (w *world) nextAddress() string {
	a := w.address()
	w.mu.Lock()
	w.next--
	w.mu.Unlock()
	return a
}
