package tlsfiles

import (
	"crypto/tls"

	"github.com/weft-mesh/weft/proxy/config"
)

// Server returns the configuration of a listener. The files must be readable now;
// later changes of them that cannot be read fail the handshakes of that time.
func Server(c config.ServerTLS, protocols ...string) (*tls.Config, error) {
	var clientCAs []string
	if c.CACertPath != "" {
		clientCAs = []string{c.CACertPath}
	}
	files := cached[*tls.Config]{files: append(nonEmpty(c.CertPath, c.KeyPath, c.IntermediateCertsPath), clientCAs...)}
	files.make = func() (*tls.Config, error) {
		pair, err := keyPair(c.CertPath, c.IntermediateCertsPath, c.KeyPath)
		if err != nil {
			return nil, err
		}
		cas, err := roots(clientCAs)
		if err != nil {
			return nil, err
		}
		lowest, highest, err := versions(c.Protocols)
		if err != nil {
			return nil, err
		}
		suites, err := cipherSuites(c.Ciphers)
		if err != nil {
			return nil, err
		}
		cfg := &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientCAs: cas,
			MinVersion: lowest, MaxVersion: highest, CipherSuites: suites,
			NextProtos: protocols,
		}
		if c.RequireClientAuth {
			cfg.ClientAuth = tls.RequireAndVerifyClientCert
		}
		return cfg, nil
	}
	if _, err := files.get(); err != nil {
		return nil, err
	}
	return &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.get() },
		NextProtos:         protocols,
	}, nil
}

func nonEmpty(files ...string) []string {
	var all []string
	for _, f := range files {
		if f != "" {
			all = append(all, f)
		}
	}
	return all
}
