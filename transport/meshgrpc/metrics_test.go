package meshgrpc_test

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshgrpc"
)

// measuredConn counts what grpc-go reads and writes.
type measuredConn struct {
	net.Conn
	received, sent *atomic.Int64
}

func (c measuredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func (c measuredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// metricsOf returns the counters and gauges below a scope.
func metricsOf(s *telemetry.Scope) map[string]float64 {
	all := map[string]float64{}
	for at, v := range s.All() {
		switch name := strings.Join(at, "/"); v.Kind {
		case telemetry.KindStat:
		case telemetry.KindCounter:
			all[name] = float64(v.Int)
		case telemetry.KindGauge:
			all[name] = v.Float
		}
	}
	return all
}

// TestClientMetrics makes everything happen that can happen to calls, and compares the tree.
func TestClientMetrics(t *testing.T) {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	rt := tree.Scope("rt", "grpc")
	var received, sent atomic.Int64
	opts := meshgrpc.Options{}
	opts.Mesh.Metrics, opts.Mesh.Label = rt, "grpc"
	var w *world
	opts.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := w.net.dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return measuredConn{conn, &received, &sent}, nil
	}
	w = newWorld(t, opts)
	var flaky atomic.Int64
	w.serve("10.0.0.1:1", &backend{unary: func(ctx context.Context, req *testgrpc.SimpleRequest) error {
		switch c := codes.Code(req.GetResponseStatus().GetCode()); {
		case req.GetFillServerId():
			<-ctx.Done()
			return ctx.Err()
		case c == codes.Unavailable && flaky.Add(1)%2 == 0:
			return nil
		default:
			return status.Error(c, "as you wish")
		}
	}})
	w.set("ok", "10.0.0.1:1")
	w.set("closed", "10.0.0.9:1")
	ask := func(c codes.Code) *testgrpc.SimpleRequest {
		return &testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: int32(c)}}
	}
	ok := w.client("ok")
	for _, c := range []codes.Code{codes.OK, codes.OK, codes.OK, codes.Internal, codes.NotFound, codes.Unavailable, 77} {
		_, err := ok.UnaryCall(t.Context(), ask(c))
		if c == codes.OK || c == codes.Unavailable {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, c, status.Code(err))
	}
	s, err := ok.StreamingOutputCall(t.Context(), &testgrpc.StreamingOutputCallRequest{})
	require.NoError(t, err)
	for err == nil {
		_, err = s.Recv()
	}
	gone, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := ok.UnaryCall(gone, &testgrpc.SimpleRequest{FillServerId: true})
		left <- err
	}()
	client := rt.Scope("client", "#/t/ok")
	require.Eventually(t, func() bool { return metricsOf(client)["pending"] == 1 }, 10*time.Second, time.Millisecond)
	assert.EqualValues(t, 1, metricsOf(client)["connections"])
	assert.EqualValues(t, 1, metricsOf(rt.Scope("service", "svc/ok"))["pending"])
	cancel()
	require.Equal(t, codes.Canceled, status.Code(<-left))
	_, err = w.client("closed").UnaryCall(t.Context(), ask(codes.OK))
	require.Equal(t, codes.Unavailable, status.Code(err))
	_, err = w.client("nowhere").UnaryCall(weft.WithDtab(t.Context(), dtab.MustParse("/svc/nowhere => !")), ask(codes.OK))
	require.Error(t, err)

	requireAll(t, rt.Scope("service", "svc/ok"), map[string]float64{
		"requests": 9, "success": 5, "failures": 3, "pending": 0, "retries/total": 1, "request_latency_ms.count": 9,
	})
	requireAll(t, rt.Scope("unbound"), map[string]float64{"requests": 1, "success": 0, "failures": 1})
	requireAll(t, client, map[string]float64{
		"requests": 10, "success": 5, "failures": 4, "pending": 0, "available": 1, "service/svc/ok/requests": 10,
		"status/OK": 5, "status/INTERNAL": 1, "status/NOT_FOUND": 1, "status/UNAVAILABLE": 1, "status/other": 1, "status/error": 1,
		"connects": 1, "connections": 1, "closes": 0, "connect_latency_ms.count": 1, "failed_connect_latency_ms.count": 0,
	}, "status/", "exn", "tls", "cancelled_", "read_", "write_")
	closed := metricsOf(rt.Scope("client", "#/t/closed"))
	assert.Positive(t, closed["requests"])
	requireAll(t, rt.Scope("client", "#/t/closed"), map[string]float64{
		"success": 0, "connects": 0, "connections": 0, "status/error": closed["requests"], "failures": closed["requests"],
		"connect_latency_ms.count": 0, "connection_duration.count": 0,
	}, "status/", "exn")
	assert.Positive(t, valuesOf(rt.Scope("client", "#/t/closed"), "failed_connect_latency_ms"))

	// The endpoint goes away, its connection with it.
	w.set("ok")
	require.Eventually(t, func() bool { return metricsOf(client)["connections"] == 0 }, 10*time.Second, time.Millisecond)
	requireAll(t, client, map[string]float64{
		"connects": 1, "closes": 1, "received_bytes": float64(received.Load()), "sent_bytes": float64(sent.Load()),
		"connection_duration.count": 1, "connection_received_bytes.count": 1, "connection_sent_bytes.count": 1,
		"connection_requests.count": 0, // grpc-go does not tell
	}, "exn")
	assert.Positive(t, received.Load())
	assert.EqualValues(t, sent.Load(), client.Stat("connection_sent_bytes").Live().Sum)
	assert.EqualValues(t, received.Load(), client.Stat("connection_received_bytes").Live().Sum)
}

// valuesOf returns how many values a stat has.
func valuesOf(s *telemetry.Scope, name string) float64 {
	return float64(s.Stat(strings.Split(name, "/")...).Live().Count)
}

// requireAll compares the metrics below a scope that want has, and requires that those with
// one of the prefixes are no others.
func requireAll(t *testing.T, s *telemetry.Scope, want map[string]float64, among ...string) {
	t.Helper()
	got := metricsOf(s)
	for name, v := range got {
		for _, prefix := range among {
			if _, ok := want[name]; !ok && strings.HasPrefix(name, prefix) {
				t.Errorf("it has %s = %v", name, v)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, ok := got[name]
		if stat, is := strings.CutSuffix(name, ".count"); is {
			v, ok = valuesOf(s, stat), true
		}
		assert.True(t, ok, "there is no %s", name)
		assert.InDelta(t, want[name], v, 1e-9, name)
	}
	if t.Failed() {
		t.Logf("%v", got)
	}
}

// TestTLSMetrics: connections of TLS count as such, with the time of their handshakes; one
// that fails is a connection that was not made.
func TestTLSMetrics(t *testing.T) {
	cert, pool := selfSigned(t, "secret.example")
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	opts := meshgrpc.Options{
		ConnectTimeout: 10 * time.Second,
		Client: func(id dtab.Path) meshgrpc.ClientSettings {
			cfg := &tls.Config{RootCAs: pool, ServerName: "secret.example"}
			if id == dtab.MustPath("/#/t/forged") {
				cfg.ServerName = "other.example"
			}
			return meshgrpc.ClientSettings{Credentials: credentials.NewTLS(cfg)}
		},
	}
	opts.Mesh.Metrics = tree.Scope()
	w := newWorld(t, opts)
	w.serve("10.0.0.1:1", nil, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	w.set("a", "10.0.0.1:1")
	w.set("forged", "10.0.0.1:1")
	_, err := w.client("a").UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
	require.NoError(t, err)
	_, err = w.client("forged").UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
	require.Error(t, err)
	a := tree.Scope("client", "#/t/a")
	requireAll(t, a, map[string]float64{"connects": 1, "tls/connections": 1, "tls/handshake_latency_ms.count": 1, "connect_latency_ms.count": 1})
	forged := metricsOf(tree.Scope("client", "#/t/forged"))
	assert.Zero(t, forged["connects"])
	assert.Positive(t, valuesOf(tree.Scope("client", "#/t/forged"), "failed_connect_latency_ms"))
	w.set("a")
	require.Eventually(t, func() bool { return metricsOf(a)["closes"] == 1 && metricsOf(a)["tls/connections"] == 0 }, 10*time.Second, time.Millisecond)
}

// TestNoMetrics: a mesh without metrics works.
func TestNoMetrics(t *testing.T) {
	w := newWorld(t, meshgrpc.Options{Mesh: transport.Options{}})
	w.serve("10.0.0.1:1", nil)
	w.set("a", "10.0.0.1:1")
	_, err := w.client("a").UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
	require.NoError(t, err)
}
