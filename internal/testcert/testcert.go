// Package testcert makes certificates for tests, valid for an hour around now.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// Authority issues certificates.
type Authority struct {
	// PEM is the authority's certificate.
	PEM  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Pair is a certificate and its key (PKCS#8), in PEM.
type Pair struct{ Cert, Key []byte }

// New returns an authority that parent has certified or, without one, itself.
func New(tb testing.TB, name string, parent *Authority) *Authority {
	tb.Helper()
	a := &Authority{}
	a.cert, a.key, a.PEM = sign(tb, parent, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// Issue returns a certificate, for servers and for clients, with a common name and
// DNS names.
func (a *Authority) Issue(tb testing.TB, name string, dns ...string) Pair {
	tb.Helper()
	_, key, cert := sign(tb, a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: dns,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(tb, err)
	return Pair{cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}
}

// Pool returns a pool with the authority as its only root.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Config returns the configuration of a peer that shows the certificate.
func (p Pair) Config(tb testing.TB) *tls.Config {
	tb.Helper()
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	must(tb, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

func sign(tb testing.TB, by *Authority, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, []byte) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(tb, err)
	c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(tb, err)
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	must(tb, err)
	cert, err := x509.ParseCertificate(der)
	must(tb, err)
	return cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("testcert: %v", err)
	}
}
