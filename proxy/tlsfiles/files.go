package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// keyPair reads a certificate, its intermediates and its key.
func keyPair(cert, intermediates, key string) (tls.Certificate, error) {
	chain, err := os.ReadFile(cert)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tlsfiles: %w", err)
	}
	if intermediates != "" {
		more, err := os.ReadFile(intermediates)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("tlsfiles: %w", err)
		}
		chain = append(append(chain, '\n'), more...)
	}
	keyPEM, err := os.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tlsfiles: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tlsfiles: %s and %s: %w", cert, key, err)
	}
	return pair, nil
}

// roots reads trusted certificates; none mean the system's.
func roots(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil //nolint:nilnil // nil is what crypto/tls takes for the system's roots
	}
	pool := x509.NewCertPool()
	for _, f := range files {
		pem, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("tlsfiles: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tlsfiles: %s: no certificate in PEM form", f)
		}
	}
	return pool, nil
}

// versions returns the lowest and highest of the protocols that are named; none
// mean Go's default.
func versions(protocols []string) (lowest, highest uint16, err error) {
	known := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	for _, p := range protocols {
		v, ok := known[p]
		if !ok {
			return 0, 0, fmt.Errorf("tlsfiles: unknown protocol %q: want TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3", p)
		}
		if lowest == 0 || v < lowest {
			lowest = v
		}
		highest = max(highest, v)
	}
	return lowest, highest, nil
}

var errNoCertificate = errors.New("tlsfiles: the server sent no certificate")
