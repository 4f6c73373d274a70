package proxy_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy"
)

// TestHeadTooLarge: what is refused before it is a request is none, as in Linkerd, but its
// connection and its bytes are counted.
func TestHeadTooLarge(t *testing.T) {
	for protocol, tooLong := range map[string]int{"http": 10 << 10, "h2": 70 << 10} {
		t.Run(protocol, func(t *testing.T) {
			m := measure(t, protocol)
			var received, sent, dials atomic.Int64
			c := m.client(t, &received, &sent, &dials)
			require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, do(t, c, "GET", "ok", "/", "", "x-long", strings.Repeat("a", tooLong)))
			scope := []string{"rt", protocol, "server", "127.0.0.1/0"}
			require.Eventually(t, func() bool {
				c.CloseIdleConnections()
				return m.under(scope...)["closes"] == 1
			}, 10*time.Second, 5*time.Millisecond)
			m.requireMetrics(t, scope, map[string]float64{
				"requests": 0, "success": 0, "failures": 0, "pending": 0, "load": 0, "connects": 1, "closes": 1, "connections": 0,
				"received_bytes": float64(sent.Load()), "sent_bytes": float64(received.Load()),
			}, "status", "failures", "exn")
		})
	}
}

// TestTLSToEndpoints: handshakes with endpoints are measured, and those that fail are
// failures to connect.
func TestTLSToEndpoints(t *testing.T) {
	for _, protocol := range []string{"http", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			files := testcert.NewFiles(t, "localhost")
			good, bad := tlsEndpoint(t, files), tlsEndpoint(t, files)
			p := newProxy(t, fmt.Sprintf(`
admin: {port: 0}
routers:
- protocol: %[1]s
  dtab: /svc/good => /$/inet/127.0.0.1/%[2]s; /svc/bad => /$/inet/127.0.0.1/%[3]s; /host => /svc
  identifier: {kind: io.l5d.header.token, header: Name}
  servers: [{port: 0}]
  client:
    kind: io.l5d.static
    configs:
    - {prefix: /, failureAccrual: {kind: none}}
    - {prefix: /$/inet/127.0.0.1/%[2]s, tls: {commonName: localhost, trustCertsBundle: %[4]s}}
    - {prefix: /$/inet/127.0.0.1/%[3]s, tls: {commonName: elsewhere, trustCertsBundle: %[4]s}}
`, protocol, good, bad, files.CA), proxy.Options{StatsWindow: -1})
			addrs, err := p.Start()
			require.NoError(t, err)
			m := measured{Proxy: p, addr: addrs.Servers[protocol][0], label: protocol}
			var received, sent, dials atomic.Int64
			c := m.client(t, &received, &sent, &dials)
			require.Equal(t, 200, do(t, c, "GET", "x", "/", "", "name", "good"))
			require.Equal(t, 200, do(t, c, "GET", "x", "/", "", "name", "good"))
			require.Equal(t, 502, do(t, c, "GET", "x", "/", "", "name", "bad"))
			m.settled(t, 3)
			m.Tree().CloseWindow()
			m.requireMetrics(t, []string{"rt", protocol, "client", "$/inet/127.0.0.1/" + good}, map[string]float64{
				"requests": 2, "success": 2, "connects": 1, "connections": 1, "tls/connections": 1,
				"tls/handshake_latency_ms.count": 1, "connect_latency_ms.count": 1,
			}, "failed_connect", "service_creation/failures")
			const tries = 26 // 25 more, as in Finagle
			m.requireMetrics(t, []string{"rt", protocol, "client", "$/inet/127.0.0.1/" + bad}, map[string]float64{
				"requests": tries, "success": 0, "failures": tries, "connects": 0, "connections": 0, "failed_connect_latency_ms.count": tries,
				"service_creation/failures": tries, "status/error": tries,
			}, "tls", "connect_latency", "exn")
		})
	}
}

// tlsEndpoint serves over TLS and returns its port.
func tlsEndpoint(t *testing.T, files testcert.Files) string {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	require.NoError(t, err)
	e := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	e.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	e.EnableHTTP2 = true
	e.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	e.StartTLS()
	t.Cleanup(e.Close)
	return portOf(e.Listener.Addr().String())
}
