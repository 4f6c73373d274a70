package ingress_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/proxy/ingress"
)

func certificate(t *testing.T, name string, hosts ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestCertificates looks at what real handshakes get.
func TestCertificates(t *testing.T) {
	i := ing("i")
	i.TLS = []k8s.IngressTLS{
		{Hosts: []string{"a.example.com", "*.wild.com"}, Secret: "one"},
		{Secret: "own"},
		{Hosts: []string{"missing.com"}, Secret: "missing"},
	}
	foreign := ing("foreign")
	foreign.HasClassAnnotation, foreign.ClassAnnotation = true, "nginx"
	foreign.TLS = []k8s.IngressTLS{{Hosts: []string{"theirs.com"}, Secret: "theirs"}}
	r := rules(t, ingress.Config{}, table(i, foreign))

	one := certificate(t, "one", "a.example.com", "*.wild.com")
	certs := weft.NewVar(naming.Ok([]k8s.Certificate{
		{Namespace: "ns", Secret: "one", Certificate: one},
		{Namespace: "ns", Secret: "own", Certificate: certificate(t, "own", "own.com")},
		{Namespace: "ns", Secret: "theirs", Certificate: certificate(t, "theirs", "theirs.com")},
		{Namespace: "elsewhere", Secret: "missing", Certificate: certificate(t, "wrong namespace", "missing.com")},
	}))
	fallback := certificate(t, "fallback", "x")
	get := r.GetCertificate(certs, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return fallback, nil })
	for sni, want := range map[string]string{
		"a.example.com": "one", "A.Example.com": "one", "x.wild.com": "one", "x.y.wild.com": "fallback", "own.com": "own",
		"theirs.com": "fallback", "missing.com": "fallback", "": "fallback",
	} {
		assert.Equal(t, want, served(t, get, sni), sni)
	}

	certs.Store(naming.Ok([]k8s.Certificate{{Namespace: "ns", Secret: "one", Certificate: certificate(t, "renewed", "a.example.com")}}))
	assert.Equal(t, "renewed", served(t, get, "a.example.com"))
	assert.Equal(t, "fallback", served(t, get, "own.com"))

	c, err := r.GetCertificate(certs, nil)(&tls.ClientHelloInfo{ServerName: "nobody.com"})
	assert.NoError(t, err)
	assert.Nil(t, c)
	boom := errors.New("boom")
	_, err = r.GetCertificate(certs, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, boom })(&tls.ClientHelloInfo{})
	assert.ErrorIs(t, err, boom)
}

// served returns the common name of the certificate that a client gets.
func served(t *testing.T, get func(*tls.ClientHelloInfo) (*tls.Certificate, error), sni string) string {
	t.Helper()
	a, b := net.Pipe()
	server := tls.Server(a, &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12})
	client := tls.Client(b, &tls.Config{ServerName: sni, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(t.Context()) }()
	require.NoError(t, client.HandshakeContext(t.Context()))
	require.NoError(t, <-done)
	name := client.ConnectionState().PeerCertificates[0].Subject.CommonName
	_ = a.Close()
	_ = b.Close()
	return name
}
