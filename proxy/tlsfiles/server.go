package tlsfiles

import (
	"crypto/tls"

	"github.com/weft-mesh/weft/proxy/config"
)

// Server returns the configuration of a listener. Files that cannot be used fail
// the handshakes of that time and no others, so that certificates may arrive after
// the proxy has started; see CheckServer. protocols are offered by ALPN.
func Server(c config.ServerTLS, protocols ...string) *tls.Config {
	files := serverFiles(c, protocols)
	return &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.get() },
		NextProtos:         protocols,
	}
}

// CheckServer returns an error if the files of c cannot be used now.
func CheckServer(c config.ServerTLS) error {
	_, err := serverFiles(c, nil).get()
	return err
}

func serverFiles(c config.ServerTLS, protocols []string) *cached[*tls.Config] {
	var clientCAs []string
	if c.CACertPath != "" {
		clientCAs = []string{c.CACertPath}
	}
	return &cached[*tls.Config]{
		files: append(nonEmpty(c.CertPath, c.KeyPath, c.IntermediateCertsPath), clientCAs...),
		make: func() (*tls.Config, error) {
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
		},
	}
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
