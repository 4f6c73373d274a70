package meshhttp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &authority{t: t, key: key}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue returns a certificate for DNS names, with URIs among them where they look
// like some.
func (a *authority) issue(subject pkix.Name, names ...string) tls.Certificate {
	a.t.Helper()
	a.n++
	// In the order that Linkerd's test certificates have: the name, then the country.
	rdn := pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: subject.CommonName}}}
	for _, c := range subject.Country {
		rdn = append(rdn, pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: c}})
	}
	raw, err := asn1.Marshal(rdn)
	require.NoError(a.t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1 + a.n), RawSubject: raw, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if u, err := url.Parse(n); err == nil && u.Scheme != "" {
			tmpl.URIs = append(tmpl.URIs, u)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, n)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure starts a downstream with TLS whose certificate is asked for by every
// connection.
func (w *world) secure(name string, auth tls.ClientAuthType, ca *authority, cert func() tls.Certificate) string {
	addr := w.address()
	l, err := w.net.Listen(addr)
	require.NoError(w.t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte(r.Host))
	}), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	cfg := &tls.Config{ClientAuth: auth, ClientCAs: ca.pool(), GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c := cert()
		return &c, nil
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(tls.NewListener(l, cfg))
	}()
	w.t.Cleanup(func() {
		_ = srv.Close()
		<-done
		time.Sleep(10 * time.Second) // net/http and crypto/tls take their time to say goodbye
	})
	w.put(name, addr)
	return addr
}

// withTLS makes every client use the configuration that f returns for it.
func withTLS(f func(id string) (*tls.Config, error)) setup {
	return setup{client: func(id string) (transport.ClientOptions, meshhttp.ClientSettings) {
		return transport.ClientOptions{Accrual: circuit.None{}}, meshhttp.ClientSettings{TLS: func() (*tls.Config, error) { return f(id) }}
	}}
}

// TestClientTLS is V95 to V97, V99 to V101.
func TestClientTLS(t *testing.T) {
	for _, r := range []struct {
		id         string
		serverName string
		noCheck    bool
		auth       tls.ClientAuthType
		present    bool
		status     int
	}{
		{"V95", "linkerd", false, tls.NoClientCert, false, 200},
		{"V96 wrong name", "wrong", false, tls.NoClientCert, false, 502},
		{"V97 name of the host", "ds.buoyant.io", false, tls.NoClientCert, false, 200},
		{"V99 no validation", "whatever", true, tls.NoClientCert, false, 200},
		{"V101 with a certificate", "linkerd", false, tls.RequireAndVerifyClientCert, true, 200},
		{"V101 without", "linkerd", false, tls.RequireAndVerifyClientCert, false, 502},
	} {
		t.Run(r.id, func(t *testing.T) {
			var ca atomic.Pointer[authority]
			var mine atomic.Pointer[tls.Certificate]
			s := withTLS(func(string) (*tls.Config, error) {
				cfg := &tls.Config{ServerName: r.serverName, RootCAs: ca.Load().pool(), InsecureSkipVerify: r.noCheck} //nolint:gosec // it is what the row is about
				if r.present {
					cfg.Certificates = []tls.Certificate{*mine.Load()}
				}
				return cfg, nil
			})
			onAllFaces(t, s, func(w *world, do func(call) reply) {
				t := w.t
				a := newAuthority(t)
				ca.Store(a)
				c := a.issue(pkix.Name{CommonName: "caller"})
				mine.Store(&c)
				cert := a.issue(pkix.Name{CommonName: "x"}, "linkerd", "ds.buoyant.io")
				w.secure("ds", r.auth, a, func() tls.Certificate { return cert })
				resp := do(call{host: "ds"})
				assert.Equal(t, r.status, resp.StatusCode, resp.body)
				if r.status == 200 {
					assert.Equal(t, "ds", resp.body, "TLS does not change Host")
				} else {
					assert.NotContains(t, resp.body, "Unable to establish connection", "the handshake's own text")
				}
			})
		})
	}
}

// TestCertificatesAreReplaced is V100: what changed holds for new connections.
func TestCertificatesAreReplaced(t *testing.T) {
	var ca atomic.Pointer[authority]
	s := withTLS(func(string) (*tls.Config, error) {
		return &tls.Config{ServerName: "linkerd", RootCAs: ca.Load().pool()}, nil
	})
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		t := w.t
		a := newAuthority(t)
		ca.Store(a)
		var cert atomic.Pointer[tls.Certificate]
		wrong, right := a.issue(pkix.Name{}, "other"), a.issue(pkix.Name{}, "linkerd")
		cert.Store(&wrong)
		w.secure("ds", tls.NoClientCert, a, func() tls.Certificate { return *cert.Load() })
		assert.Equal(t, 502, do(call{host: "ds"}).StatusCode)
		cert.Store(&right)
		assert.Equal(t, 200, do(call{host: "ds"}).StatusCode)
	})
}

// TestBadTLSSettings: 6.2, they fail each request with their text, and nothing is
// tried 25 times.
func TestBadTLSSettings(t *testing.T) {
	var n atomic.Int32
	s := withTLS(func(string) (*tls.Config, error) {
		n.Add(1)
		return nil, errors.New("tls is configured with validation but `commonName` is not set")
	})
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		n.Store(0)
		w.serve("ds", nil)
		resp := do(call{host: "ds"})
		assert.Equal(w.t, 502, resp.StatusCode)
		assert.Contains(w.t, resp.body, "`commonName` is not set")
		assert.EqualValues(w.t, 1, n.Load())
	})
}

// TestForwardClientCert is V94, V102 and V103.
func TestForwardClientCert(t *testing.T) {
	for _, forward := range []bool{true, false} {
		s := setup{client: func(string) (transport.ClientOptions, meshhttp.ClientSettings) {
			return transport.ClientOptions{}, meshhttp.ClientSettings{ForwardClientCert: forward}
		}}
		inWorld(t, s, func(w *world) {
			t := w.t
			ds := w.serve("ds", nil)
			a := newAuthority(t)
			front, caller := a.issue(pkix.Name{}, "front"), a.issue(
				pkix.Name{Country: []string{"US"}, CommonName: "upstream"}, "https://buoyant.io", "upstream", "linkerd")
			addr := w.address()
			l, err := w.net.Listen(addr)
			require.NoError(t, err)
			cfg := &tls.Config{Certificates: []tls.Certificate{front}, ClientAuth: tls.RequestClientCert}
			srv := &http.Server{Handler: meshhttp.NewHandler(meshhttp.ServerOptions{Transport: w.mesh})}
			done := make(chan struct{})
			go func() { defer close(done); _ = srv.Serve(tls.NewListener(l, cfg)) }()
			defer func() { _ = srv.Close(); <-done; time.Sleep(10 * time.Second) }()

			for _, present := range []bool{true, false} {
				cfg := &tls.Config{RootCAs: a.pool(), ServerName: "front"}
				if present {
					cfg.Certificates = []tls.Certificate{caller}
				}
				tr := &http.Transport{TLSClientConfig: cfg, DialContext: w.net.DialContext}
				req := newRequest(t, http.MethodGet, "https://"+addr, nil)
				req.Host = "ds"
				req.Header["X-Forwarded-Client-Cert"] = []string{"spoofed", "twice"}
				assert.Equal(t, 200, readReply(roundTrip(t, tr, req)).StatusCode, "V94")
				tr.CloseIdleConnections()
				got := ds.last(t).Header["X-Forwarded-Client-Cert"]
				if !forward || !present {
					assert.Empty(t, got, "V103; D12: what an anonymous caller says is removed too")
					continue
				}
				require.Len(t, got, 1, "V102")
				assert.Regexp(t, regexp.MustCompile(`^Hash=[0-9A-F]{64};`), got[0])
				_, rest, _ := strings.Cut(got[0], ";")
				sans, subject, _ := strings.Cut(rest, `;Subject=`)
				assert.ElementsMatch(t, []string{"SAN=https://buoyant.io", "DNS=upstream", "DNS=linkerd"}, strings.Split(sans, ";"), "V102")
				assert.Equal(t, `"C=US,CN=upstream"`, subject, "V102")
			}
		})
	}
}
