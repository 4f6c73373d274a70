package meshgrpc_test

import (
	"context"
	"slices"
	"strings"
	"sync"
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

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// spans is a tracer that keeps what it is told.
type spans struct {
	mu  sync.Mutex
	all []telemetry.Span
}

func (s *spans) Record(sp telemetry.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sp)
}

func annotations(s telemetry.Span) string {
	var all []string
	for _, a := range s.Annotations {
		all = append(all, a.Value)
	}
	return strings.Join(all, " ")
}

func (s *spans) tracers() *telemetry.Tracers {
	return telemetry.NewTracers(telemetry.Sampled{Tracer: s, Rate: 1})
}

func intercepted(o meshgrpc.ServerOptions) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(meshgrpc.UnaryServerInterceptor(o)),
		grpc.StreamInterceptor(meshgrpc.StreamServerInterceptor(o)),
	}
}

// front is served with the interceptors and calls "back" while serving.
func front(w *world, addr string, o meshgrpc.ServerOptions, seen func(context.Context)) *backend {
	return w.serve(addr, &backend{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
		seen(ctx)
		_, err := call(ctx, w.client("back"))
		return err
	}}, intercepted(o)...)
}

func TestContextTravelsAcrossTwoHops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &spans{}
		w := newWorld(t, meshgrpc.Options{Tracers: rec.tracers()})
		var local dtab.Dtab
		var inner metadata.MD
		front(w, "10.0.0.1:1", meshgrpc.ServerOptions{Tracers: rec.tracers()}, func(ctx context.Context) {
			local = weft.LocalDtab(ctx)
			inner, _ = metadata.FromIncomingContext(ctx)
			time.Sleep(time.Second)
		})
		w.serve("10.0.0.2:1", nil)
		canary := w.serve("10.0.0.3:1", nil)
		w.set("front", "10.0.0.1:1")
		w.set("back", "10.0.0.2:1")
		w.set("canary", "10.0.0.3:1")

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ctx = weft.WithDtab(ctx, dtab.MustParse("/svc/back=>/svc/canary"))
		ctx = metadata.AppendToOutgoingContext(ctx, "l5d-dtab", "/x=>/y", "l5d-ctx-thing", "a", "l5d-ctx-thing", "b", "other", "c")
		deadline, _ := ctx.Deadline()
		_, err := call(ctx, w.client("front"))
		require.NoError(t, err)

		assert.Equal(t, "/svc/back=>/svc/canary;/x=>/y", local.String(), "l5d-dtab comes last and wins")
		for _, k := range []string{"l5d-ctx-dtab", "l5d-dtab", "l5d-ctx-trace", "l5d-ctx-deadline"} {
			assert.NotContains(t, inner, k, "the handler does not see it")
		}
		md := canary.seen()
		require.NotNil(t, md, "the dtab leads the second hop elsewhere")
		assert.Equal(t, []string{"/svc/back=>/svc/canary;/x=>/y"}, md["l5d-ctx-dtab"])
		assert.Equal(t, []string{"a", "b"}, md["l5d-ctx-thing"], "the application's own context goes on")
		assert.NotContains(t, md, "other")
		d, ok := propagation.ParseDeadline(md["l5d-ctx-deadline"][0])
		require.True(t, ok)
		assert.Equal(t, deadline.UnixNano(), d.At.UnixNano())

		require.Len(t, rec.all, 5)
		last, inner2, server, first, root := rec.all[0], rec.all[1], rec.all[2], rec.all[3], rec.all[4]
		assert.Equal(t, telemetry.ServerSpan, server.Kind)
		assert.Equal(t, telemetry.LocalSpan, root.Kind)
		assert.False(t, root.Trace.HasParent())
		assert.Equal(t, "1", root.Lookup(telemetry.TagSamplingRate), "it was chosen here")
		assert.Equal(t, root.Trace.Span, first.Trace.Parent)
		assert.Equal(t, first.Trace.Span, server.Trace.Parent)
		assert.Equal(t, server.Trace.Span, inner2.Trace.Parent)
		assert.Equal(t, inner2.Trace.Span, last.Trace.Parent)
		assert.Equal(t, "/svc/back", inner2.Name)
		assert.Equal(t, []string{"cs ws wr l5d.success cr", "wr sr ss ws"}, []string{annotations(last), annotations(server)})
		assert.Equal(t, []string{first.Trace.ReqID()}, md["l5d-reqid"])
		assert.Equal(t, "/svc/back", last.Lookup(telemetry.TagService))
		assert.Equal(t, "/#/t/canary", last.Lookup(telemetry.TagClient))
		assert.Equal(t, "10.0.0.3:1", last.Lookup(telemetry.TagServerAddr))
		assert.Equal(t, "/grpc.testing.TestService/UnaryCall", last.Name)
	})
}

func TestDeadlineEndsTheSecondHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, meshgrpc.Options{})
		front(w, "10.0.0.1:1", meshgrpc.ServerOptions{}, func(context.Context) {})
		ended := make(chan time.Duration, 1)
		w.serve("10.0.0.2:1", &backend{unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) error {
			start := time.Now()
			<-ctx.Done()
			ended <- time.Since(start)
			return ctx.Err()
		}}, intercepted(meshgrpc.ServerOptions{})...)
		w.set("front", "10.0.0.1:1")
		w.set("back", "10.0.0.2:1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := call(ctx, w.client("front"))
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
		assert.Equal(t, time.Second, <-ended)
	})
}

func TestServerRefusesWhatItCannotServe(t *testing.T) {
	past := propagation.Deadline{Timestamp: time.Now(), At: time.Now().Add(-time.Second)}.String()
	for _, tt := range []struct {
		name, key, value string
		clear            bool
		code             codes.Code
		text             string
	}{
		{"bad dtab", "l5d-dtab", "i am not a dtab", false, codes.InvalidArgument, "expected but 'i' found at '[i] am not a dtab'"},
		{"bad context dtab", "l5d-ctx-dtab", "nor am i", false, codes.InvalidArgument, "expected but 'n' found"},
		{"past deadline", "l5d-ctx-deadline", past, false, codes.DeadlineExceeded, "before the call was served"},
		{"bad dtab, cleared", "l5d-dtab", "i am not a dtab", true, codes.OK, ""},
		{"past deadline, cleared", "l5d-ctx-deadline", past, true, codes.OK, ""},
		{"bad deadline", "l5d-ctx-deadline", "soon", false, codes.OK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, meshgrpc.Options{})
			b := w.serve("10.0.0.1:1", nil, intercepted(meshgrpc.ServerOptions{ClearContext: tt.clear})...)
			w.set("users", "10.0.0.1:1")
			c := w.client("users")
			ctx := metadata.AppendToOutgoingContext(t.Context(), tt.key, tt.value)
			_, err := call(ctx, c)
			assert.Equal(t, tt.code, status.Code(err))
			assert.Contains(t, status.Convert(err).Message(), tt.text)
			s, err := c.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = receive(s)
			assert.Equal(t, tt.code, status.Code(err))
			if tt.code != codes.OK {
				assert.Zero(t, b.calls.Load(), "the handler is not called")
			}
			if tt.clear {
				for k := range b.seen() {
					assert.False(t, strings.HasPrefix(k, "l5d-"), k)
				}
			}
		})
	}
}

func TestServerStreamCarriesContext(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	var local dtab.Dtab
	w.serve("10.0.0.1:1", &backend{output: func(s download) error {
		local = weft.LocalDtab(s.Context())
		return nil
	}}, intercepted(meshgrpc.ServerOptions{})...)
	w.set("users", "10.0.0.1:1")
	ctx := weft.WithDtab(t.Context(), dtab.MustParse("/a=>/b"))
	s, err := w.client("users").StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = receive(s)
	require.NoError(t, err)
	assert.Equal(t, "/a=>/b", local.String())
}

func TestClientInterceptors(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{})
	b := w.serve("10.0.0.1:1", nil)
	rec := &spans{}
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	o := meshgrpc.ClientOptions{Tracers: rec.tracers(), Metrics: tree.Scope("own")}
	cc, err := grpc.NewClient("passthrough:///10.0.0.1:1",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(w.net.dial),
		grpc.WithUnaryInterceptor(meshgrpc.UnaryClientInterceptor(o)),
		grpc.WithStreamInterceptor(meshgrpc.StreamClientInterceptor(o)))
	require.NoError(t, err)
	defer cc.Close()
	c := testgrpc.NewTestServiceClient(cc)
	ctx := weft.WithDtab(t.Context(), dtab.MustParse("/a=>/b"))

	_, err = call(ctx, c)
	require.NoError(t, err)
	assert.Equal(t, []string{"/a=>/b"}, b.seen()["l5d-ctx-dtab"])
	assert.Len(t, b.seen()["l5d-ctx-trace"], 1)

	s, err := c.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = receive(s)
	require.NoError(t, err)
	assert.Equal(t, []string{"/a=>/b"}, b.seen()["l5d-ctx-dtab"])

	b.unary = func(context.Context, *testgrpc.SimpleRequest) error { return status.Error(codes.Internal, "no") }
	_, err = call(ctx, c)
	assert.Equal(t, codes.Internal, status.Code(err))

	past, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	defer cancel()
	_, err = call(past, c)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
	assert.EqualValues(t, 3, b.calls.Load())

	assert.Len(t, rec.all, 3)
	assert.EqualValues(t, 3, tree.Scope("own").Counter("requests").Value())
	assert.EqualValues(t, 2, tree.Scope("own").Counter("success").Value())
}

func TestMetrics(t *testing.T) {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{Metrics: tree.Scope("rt", "grpc")}})
	n := 0
	w.serve("10.0.0.1:1", &backend{unary: func(context.Context, *testgrpc.SimpleRequest) error {
		if n++; n == 1 {
			return status.Error(codes.Unavailable, "not now")
		}
		return nil
	}})
	w.set("users", "10.0.0.1:1")
	_, err := call(t.Context(), w.client("users"))
	require.NoError(t, err)
	value := func(path ...string) int64 {
		for at, m := range tree.Scope("rt", "grpc").All() {
			if slices.Equal(at, path) {
				return m.Int
			}
		}
		return -1
	}
	assert.EqualValues(t, 1, value("service", "svc/users", "requests"), "one request")
	assert.EqualValues(t, 2, value("client", "#/t/users", "requests"), "of two attempts")
	assert.EqualValues(t, 1, value("service", "svc/users", "success"))
}
