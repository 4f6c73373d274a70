package namerdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// certificate is one for namerd.example that signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "namerd.example"}, DNSNames: []string{"namerd.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (h Harness) tls(t *testing.T) {
	cert, pool := certificate(t)
	w := NewWorld()
	w.Tree("/svc/web").Store(Leaf("/#/web", "/"))
	w.Addr("/#/web").Store(Set("10.0.0.1:80"))
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	t.Cleanup(h.Serve(t, tls.NewListener(ln, conf), w))
	in := h.client(t, Settings{TLS: &tls.Config{RootCAs: pool, ServerName: "namerd.example"}}, fixed(ln.Addr().String()))
	src := in.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	ends := awaitTree(t, src, eventually, "/#/web").Value.Value.Addrs(t.Context())
	awaitAddrs(t, ends, eventually, "10.0.0.1:80")

	wrong := h.client(t, Settings{TLS: &tls.Config{RootCAs: pool}}, fixed(ln.Addr().String()))
	wrong.Bind(t.Context(), nil, dtab.MustPath("/svc/web"))
	require.Eventually(t, func() bool { return trouble(wrong, "bind") != nil }, eventually, time.Millisecond)
	assert.ErrorContains(t, trouble(wrong, "bind"), "TLS with "+ln.Addr().String()+" as 127.0.0.1: tls: failed to verify certificate")
}
