package tlsfiles

import (
	"crypto/tls"

	"github.com/weft-mesh/weft/proxy/config"
)

// ClientConfig returns one configuration for as long as a client lives, for libraries
// that want it once: the certificates behind it are read again when their files
// change. Nil, without an error, means not to use TLS.
func ClientConfig(c *config.ClientTLS, protocols ...string) (*tls.Config, error) {
	get := Client(c, protocols...)
	if get == nil {
		return nil, nil //nolint:nilnil // nil is plain text
	}
	first, err := get()
	if err != nil {
		return nil, err
	}
	rotating := first.Clone()
	if len(first.Certificates) > 0 {
		rotating.Certificates = nil
		rotating.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			now, err := get()
			if err != nil {
				return nil, err
			}
			return &now.Certificates[0], nil
		}
	}
	if first.VerifyConnection != nil {
		rotating.VerifyConnection = func(s tls.ConnectionState) error {
			now, err := get()
			if err != nil {
				return err
			}
			return now.VerifyConnection(s)
		}
	}
	return rotating, nil
}
