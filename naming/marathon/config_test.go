package marathon_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/marathon"
)

func TestConfig(t *testing.T) {
	minus := -time.Second
	for want, c := range map[string]marathon.Config{
		"marathon: port: 65536: want 1 to 65535":                                                     {Port: 65536},
		"marathon: ttlMs and jitterMs: must not be negative":                                         {TTL: &minus},
		"marathon: MARATHON_HTTP_AUTH_CREDENTIAL: has a line end or another control character in it": {BasicAuth: "a\n"},
		`marathon: host and uriPrefix: "http://a b:80" is not a URL without a query`:                 {Host: "a b"},
		`marathon: host and uriPrefix: "http://marathon.mesos:80/x?y" is not a URL without a query`:  {URIPrefix: "/x?y"},
	} {
		_, err := marathon.New(c, marathon.Options{})
		assert.EqualError(t, err, want)
	}
	n, err := marathon.New(marathon.Config{}, marathon.Options{})
	require.NoError(t, err)
	assert.Equal(t, "/#/io.l5d.marathon", n.Prefix().String())
	names, err := n.Names()
	require.NoError(t, err)
	assert.Empty(t, names)
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
}

// TestTLSAndRestart asks a real server at an address that is not the host's, and
// restarts it.
func TestTLSAndRestart(t *testing.T) {
	f := newFake()
	f.say("/mesos/v2/apps", said{body: `{"apps":[{"id":"/a%b"}]}`})
	f.say("/mesos/v2/apps/a%25b?embed=app.tasks", said{body: `{"app":{"id":"/a%b","tasks":[` + task("1.2.3.4", 1) + `]}}`})
	s := httptest.NewTLSServer(f)
	addr, certificate, keys := s.Listener.Addr().String(), s.Certificate(), s.TLS.Certificates
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	period := 50 * time.Millisecond
	n, err := marathon.New(marathon.Config{
		Host: "example.com", Port: 8443, URIPrefix: "/mesos", TTL: &period, Prefix: dtab.MustPath("/#/m"),
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}, marathon.Options{Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
		assert.Equal(t, "example.com:8443", to)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}})
	require.NoError(t, err)
	x := watch(t.Context(), n, "/A%b/r")
	comes := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return x.text() == want }, 20*time.Second, 5*time.Millisecond, "%s", want)
	}
	id := n.Prefix().Concat(mustPathOf(t, "a%b")).String()
	comes(id + "+/r 1.2.3.4:1")
	f.mu.Lock()
	assert.Equal(t, "example.com", f.hosts[0])
	f.mu.Unlock()

	s.CloseClientConnections()
	s.Close()
	comes(id + "+/r 1.2.3.4:1 (stale)")
	f.say("/mesos/v2/apps/a%25b?embed=app.tasks", said{body: `{"app":{"id":"/a%b","tasks":[` + task("1.2.3.4", 2) + `]}}`})
	var l net.Listener
	require.Eventually(t, func() bool {
		l, err = net.Listen("tcp", addr)
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	again := &httptest.Server{Listener: l, Config: &http.Server{Handler: f}, TLS: &tls.Config{Certificates: keys}}
	again.StartTLS()
	comes(id + "+/r 1.2.3.4:2")
	require.NoError(t, n.Close())
	again.Close()
}

func mustPathOf(t *testing.T, elems ...string) dtab.Path {
	t.Helper()
	p, err := dtab.PathOf(elems...)
	require.NoError(t, err)
	return p
}
