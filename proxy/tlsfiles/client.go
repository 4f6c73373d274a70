package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/weft-mesh/weft/proxy/config"
)

// Client returns a function that gives the configuration of a new connection, nil
// if c says not to use TLS.
func Client(c *config.ClientTLS, protocols ...string) func() (*tls.Config, error) {
	if !c.On() {
		return nil
	}
	trust := c.TrustCerts
	if c.TrustCertsBundle != nil {
		trust = []string{*c.TrustCertsBundle}
	}
	files := &cached[*tls.Config]{files: trust}
	if a := c.ClientAuth; a != nil {
		files.files = append(nonEmpty(a.CertPath, a.KeyPath, a.IntermediateCertsPath), trust...)
	}
	files.make = func() (*tls.Config, error) {
		if err := c.Check(); err != nil {
			return nil, err
		}
		cfg := &tls.Config{NextProtos: protocols, InsecureSkipVerify: true} //nolint:gosec // verified by VerifyConnection, unless switched off
		var err error
		if cfg.MinVersion, cfg.MaxVersion, err = versions(c.Protocols); err != nil {
			return nil, err
		}
		if c.CommonName != nil {
			cfg.ServerName = *c.CommonName
		}
		if a := c.ClientAuth; a != nil {
			pair, err := keyPair(a.CertPath, a.IntermediateCertsPath, a.KeyPath)
			if err != nil {
				return nil, err
			}
			cfg.Certificates = []tls.Certificate{pair}
		}
		if c.DisableValidation == nil || !*c.DisableValidation {
			pool, err := roots(trust)
			if err != nil {
				return nil, err
			}
			cfg.VerifyConnection = verifier(pool)
		}
		return cfg, nil
	}
	return files.get
}

// verifier checks the chain, and the name as Linkerd does: by the DNS names of the
// certificate or, if it has none, by its common name, which crypto/tls itself
// ignores.
func verifier(pool *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errNoCertificate
		}
		leaf := s.PeerCertificates[0]
		opts := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		if _, err := leaf.Verify(opts); err != nil {
			return err
		}
		if len(leaf.DNSNames) > 0 || leaf.Subject.CommonName == "" {
			return leaf.VerifyHostname(s.ServerName)
		}
		if leaf.VerifyHostname(s.ServerName) == nil || leaf.Subject.CommonName == s.ServerName {
			return nil // an address among the alternative names, or a name that is no host's
		}
		named := *leaf
		named.DNSNames = []string{leaf.Subject.CommonName}
		return named.VerifyHostname(s.ServerName)
	}
}
