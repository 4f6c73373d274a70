package conformance_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/internal/testtool"
)

// interopCases are the test cases of grpc-go's interop client. Left out are those
// that need credentials of a cloud (compute_engine_creds, service_account_creds,
// jwt_token_creds, per_rpc_creds, oauth2_auth_token, google_default_credentials,
// compute_engine_channel_credentials) and pick_first_unary, which wants an id from
// the server that grpc-go's server does not give (it fails without a proxy, too).
// The client has no client_compressed_*, server_compressed_* and cacheable_unary.
func interopCases() map[string][]string {
	soak := []string{"--soak_iterations=20", "--soak_num_threads=4", "--soak_per_iteration_max_acceptable_latency_ms=5000", "--soak_overall_timeout_seconds=30"}
	orca := []string{`--service_config_json={"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}`}
	return map[string][]string{
		"empty_unary":                 nil,
		"large_unary":                 nil,
		"client_streaming":            nil,
		"server_streaming":            nil,
		"ping_pong":                   nil,
		"empty_stream":                nil,
		"timeout_on_sleeping_server":  nil,
		"cancel_after_begin":          nil,
		"cancel_after_first_response": nil,
		"status_code_and_message":     nil,
		"special_status_message":      nil,
		"custom_metadata":             nil,
		"unimplemented_method":        nil,
		"unimplemented_service":       nil,
		"rpc_soak":                    soak,
		"channel_soak":                soak,
		"orca_per_rpc":                orca,
		"orca_oob":                    orca,
	}
}

// interopServer runs grpc-go's server and returns its port.
func interopServer(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(testtool.Get(t, testtool.InteropServer), append(args, "--port=0")...)
	cmd.Env = append(os.Environ(), "GRPC_GO_LOG_SEVERITY_LEVEL=info")
	p := child.Start(t, "interop-server", cmd)
	return p.Await(t, `listening on \S+:(\d+)`)[1]
}

// interop runs every test case against a server or proxy, a few at a time.
func interop(t *testing.T, addr string, args ...string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	tool := testtool.Get(t, testtool.InteropClient)
	for name, more := range interopCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			all := append([]string{"--server_host=" + host, "--server_port=" + port, "--test_case=" + name}, args...)
			cmd := exec.CommandContext(ctx, tool, append(all, more...)...)
			cmd.Env = append(os.Environ(), "GRPC_GO_LOG_SEVERITY_LEVEL=error")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// serverName is what certificates are for.
const serverName = "server.test"

// verifying are the arguments of a client that verifies the server.
func verifying(f testcert.Files) []string {
	return []string{"--use_tls", "--use_test_ca", "--ca_file=" + f.CA, "--server_host_override=" + serverName}
}

func TestInteropDirectly(t *testing.T) { // what fails here is not weft's
	child.Heavy(t)
	interop(t, "127.0.0.1:"+interopServer(t))
}

func TestInteropThroughOneHop(t *testing.T) {
	child.Heavy(t)
	w := child.Run(t, child.Config(child.Router{Protocol: "h2", To: interopServer(t)}))
	interop(t, w.Addr(t, "h2"))
}

func TestInteropWithTLSOnBothSides(t *testing.T) {
	child.Heavy(t)
	f := testcert.NewFiles(t, serverName)
	backend := interopServer(t, "--use_tls", "--tls_cert_file="+f.Cert, "--tls_key_file="+f.Key)
	w := child.Run(t, child.Config(child.Router{
		Protocol: "h2", To: backend, Server: child.ServerTLS(f), Client: child.ClientTLS(f, serverName),
	}))
	interop(t, w.Addr(t, "h2"), verifying(f)...)
}

func TestInteropThroughTwoHops(t *testing.T) {
	child.Heavy(t)
	f := testcert.NewFiles(t, serverName)
	in := child.Run(t, child.Config(child.Router{
		Protocol: "h2", Label: "incoming", To: interopServer(t), Server: child.ServerTLS(f),
	}))
	out := child.Run(t, child.Config(child.Router{
		Protocol: "h2", Label: "outgoing", To: in.Port(t, "incoming"), Client: child.ClientTLS(f, serverName),
	}))
	interop(t, out.Addr(t, "outgoing"))
}
