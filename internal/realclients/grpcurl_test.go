package realclients_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testtool"
)

func TestGRPCurl(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	tool := testtool.Get(t, testtool.GRPCurl)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := grpc.NewServer()
	status := health.NewServer()
	status.SetServingStatus("loom", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(srv, status)
	reflection.Register(srv)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)

	files := newFiles(t)
	rows := []struct {
		name string
		addr func(t *testing.T) string
		how  string
	}{
		// What fails directly is not weft's.
		{"directly", func(*testing.T) string { return l.Addr().String() }, "-plaintext"},
		{"cleartext", func(t *testing.T) string {
			t.Helper()
			return child.Run(t, child.Config(child.Router{Protocol: "h2", To: port})).Addr(t, "h2")
		}, "-plaintext"},
		{"TLS", func(t *testing.T) string {
			t.Helper()
			return child.Run(t, child.Config(child.Router{Protocol: "h2", To: port, Server: child.ServerTLS(files)})).Addr(t, "h2")
		}, "-insecure"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			addr := row.addr(t)
			grpcurl := func(args ...string) (string, string, error) {
				return command(t, tool, append([]string{row.how, "-max-time", "20"}, args...)...)
			}
			ask := func(args ...string) string {
				out, stderr, err := grpcurl(args...)
				require.NoError(t, err, "%s%s", out, stderr)
				return out
			}
			assert.Contains(t, ask(addr, "list"), "grpc.health.v1.Health\n")
			assert.Contains(t, ask(addr, "describe", "grpc.health.v1.Health"), "rpc Watch (")
			assert.JSONEq(t, `{"status": "SERVING"}`, ask("-d", `{"service": "loom"}`, addr, "grpc.health.v1.Health/Check"))

			out, stderr, err := grpcurl("-d", `{"service": "none"}`, addr, "grpc.health.v1.Health/Check")
			require.Error(t, err)
			assert.Contains(t, out+stderr, "Code: NotFound\n  Message: unknown service")

			// A stream that the caller's deadline ends.
			out, stderr, err = grpcurl("-max-time", "0.5", "-d", `{"service": "loom"}`, addr, "grpc.health.v1.Health/Watch")
			require.Error(t, err)
			assert.Contains(t, out, `"SERVING"`)
			assert.Regexp(t, `Code: (DeadlineExceeded|Canceled)`, stderr) // whoever is first
		})
	}
}
