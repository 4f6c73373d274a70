package policy_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// knowing is an identifier that knows the certificate of a host.
type knowing struct {
	meshhttp.Identifier
	host string
	cert tls.Certificate
}

// Certificate implements plugin.Certificates.
func (k knowing) Certificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName != k.host {
			return nil, nil //nolint:nilnil // none
		}
		return &k.cert, nil
	}
}

func TestServersShowTheCertificatesThatIdentifiersKnow(t *testing.T) {
	ca := testcert.New(t, "ca", nil)
	dir := t.TempDir()
	own := ca.Issue(t, "own", "own.example.com")
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certPath, own.Cert, 0o600))
	require.NoError(t, os.WriteFile(keyPath, own.Key, 0o600))
	other := ca.Issue(t, "other", "other.example.com")
	pair, err := tls.X509KeyPair(other.Cert, other.Key)
	require.NoError(t, err)

	reg, err := config.NewRegistry(
		config.Define(config.RoleHTTPIdentifier, "knowing", func(struct{}, plugin.IdentifierEnv) (meshhttp.Identifier, error) {
			return knowing{host: "other.example.com", cert: pair}, nil
		}, config.Traits{}),
		config.Define(config.RoleProtocol, "http", func(struct{}, plugin.RouterEnv) (*plugin.Router, error) { return &plugin.Router{}, nil }, config.Traits{}),
	)
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte("routers: [{protocol: http, identifier: {kind: knowing}, servers: [{port: 0}]}]"), config.Options{Registry: reg})
	require.NoError(t, err)
	r := &policy.Router{Env: plugin.RouterEnv{Config: &cfg.Routers[0]}}
	_, err = policy.Identifiers[meshhttp.Identifier](r)
	require.NoError(t, err)
	server := r.ServerTLS(config.ServerTLS{CertPath: certPath, KeyPath: keyPath}, "http/1.1")

	for host, want := range map[string]string{"other.example.com": "other", "own.example.com": "own", "": "own"} {
		a, b := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- tls.Server(a, server).HandshakeContext(t.Context()) }()
		client := tls.Client(b, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) //nolint:gosec // looked at below
		require.NoError(t, client.HandshakeContext(t.Context()))
		require.NoError(t, <-done)
		assert.Equal(t, want, client.ConnectionState().PeerCertificates[0].Subject.CommonName, host)
		assert.Equal(t, "http/1.1", client.ConnectionState().NegotiatedProtocol, host)
		_, _ = a.Close(), b.Close()
	}
}
