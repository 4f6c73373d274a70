package ingress

import (
	"crypto/tls"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// GetCertificate returns a function for tls.Config.GetCertificate that serves the
// certificates which ingresses that count name for the host that a client asks for, by
// SNI: first those for the host, then those for its wildcard, then those of ingresses
// that name no hosts, whose certificates are for the host. Of several the first one
// that the client supports is served.
//
// certs are the certificates, as k8s.Ingresses has them with Options.Certificates.
// Where none is for the host fallback decides; nil returns none, so that the handshake
// goes on with Config.Certificates or fails.
func (r *Rules) GetCertificate(
	certs weft.Source[naming.State[[]k8s.Certificate]], fallback func(*tls.ClientHelloInfo) (*tls.Certificate, error),
) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	bySecret := naming.Derive(certs, func(s naming.State[[]k8s.Certificate]) map[secret]*tls.Certificate {
		m := make(map[secret]*tls.Certificate, len(s.Value))
		for _, c := range s.Value {
			m[secret{c.Namespace, c.Secret}] = c.Certificate
		}
		return m
	})
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		have, _ := bySecret.Load()
		if m := r.now.Load(); m != nil && hello.ServerName != "" {
			if c := m.certificate(hello, have); c != nil {
				return c, nil
			}
		}
		if fallback == nil {
			return nil, nil //nolint:nilnil // what crypto/tls takes as: none
		}
		return fallback(hello)
	}
}

// certificate returns the certificate for a client, or nil.
func (m *matcher) certificate(hello *tls.ClientHelloInfo, have map[secret]*tls.Certificate) *tls.Certificate {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	var usable *tls.Certificate
	for _, secrets := range [2][]secret{m.certs[host], m.certs["*."+parentOf(host)]} {
		for _, s := range secrets {
			c := have[s]
			if c == nil {
				continue
			}
			if hello.SupportsCertificate(c) == nil {
				return c
			}
			if usable == nil {
				usable = c // the client is told that it does not like it
			}
		}
	}
	if usable != nil {
		return usable
	}
	for _, s := range m.ownNames {
		if c := have[s]; c != nil && hello.SupportsCertificate(c) == nil {
			return c // SupportsCertificate compares the names
		}
	}
	return nil
}
