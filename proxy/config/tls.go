package config

import "errors"

// ServerTLS makes a server speak TLS. Files are PEM and are read again for every
// connection, so that replacing them takes effect without a restart.
type ServerTLS struct {
	CertPath              string   `yaml:"certPath" weft:"required,readable"`
	KeyPath               string   `yaml:"keyPath" weft:"required,readable"` // PKCS#8, not encrypted
	IntermediateCertsPath string   `yaml:"intermediateCertsPath" weft:"readable"`
	CACertPath            string   `yaml:"caCertPath" weft:"readable"` // roots for client certificates; default system
	Ciphers               []string `yaml:"ciphers"`
	RequireClientAuth     bool     `yaml:"requireClientAuth"`
	Protocols             []string `yaml:"protocols"`
}

// KeyHint implements the decoder's hints.
func (*ServerTLS) KeyHint(key string) string {
	if key == "enabled" {
		return "servers speak TLS when they have a tls object; remove the key, or the object"
	}
	return ""
}

// ClientTLS makes a client speak TLS. The files are as in ServerTLS.
type ClientTLS struct {
	Enabled           *bool `yaml:"enabled"` // true
	DisableValidation *bool `yaml:"disableValidation"`

	// CommonName is the name that certificates must have, and the server name to ask
	// for. In static configurations it may contain {captures}.
	CommonName *string `yaml:"commonName"`

	TrustCerts       []string    `yaml:"trustCerts" weft:"readable"` // deprecated
	TrustCertsBundle *string     `yaml:"trustCertsBundle" weft:"readable"`
	ClientAuth       *ClientAuth `yaml:"clientAuth"`
	Protocols        []string    `yaml:"protocols"`
}

// ClientAuth is the certificate that a client shows.
type ClientAuth struct {
	CertPath              string `yaml:"certPath" weft:"required,readable"`
	IntermediateCertsPath string `yaml:"intermediateCertsPath" weft:"readable"`
	KeyPath               string `yaml:"keyPath" weft:"required,readable"`
}

// On reports whether the client speaks TLS at all.
func (t *ClientTLS) On() bool { return t != nil && (t.Enabled == nil || *t.Enabled) }

func (t *ClientTLS) validates() bool {
	return t.On() && (t.DisableValidation == nil || !*t.DisableValidation)
}

// partial reports whether the settings miss the name of the host.
func (t *ClientTLS) partial() bool { return t.validates() && t.CommonName == nil }

// Check returns what the original says when the settings are first used: nil, or
// an error with the original's text.
func (t *ClientTLS) Check() error {
	switch {
	case t.partial():
		return keyError{message: "tls is configured with validation but `commonName` is not set"}
	case t.validates() && t.TrustCerts != nil && t.TrustCertsBundle != nil:
		return keyError{key: "trustCerts", message: "Both trustCerts and trustCertsBundle have been set. Please use only trustCertsBundle."}
	default:
		return nil
	}
}

// Validate checks what the original checks when it loads.
func (t *ClientTLS) Validate() error {
	if t.DisableValidation != nil && *t.DisableValidation && t.ClientAuth != nil {
		return keyError{key: "disableValidation", message: "requirement failed: disableValidation: true is incompatible with clientAuth"}
	}
	return nil
}

// completedBy returns next with the keys that it does not set taken from t, which is
// partial.
func (t *ClientTLS) completedBy(next ClientTLS) ClientTLS {
	if !next.validates() {
		return next
	}
	if next.TrustCerts == nil && next.TrustCertsBundle == nil {
		next.TrustCerts, next.TrustCertsBundle = t.TrustCerts, t.TrustCertsBundle
	}
	if next.ClientAuth == nil {
		next.ClientAuth = t.ClientAuth
	}
	if next.Protocols == nil {
		next.Protocols = t.Protocols
	}
	return next
}

// KeyHint implements the decoder's hints.
func (*ClientTLS) KeyHint(key string) string {
	switch key {
	case "kind":
		return "tls has no kinds any more: set disableValidation, or commonName"
	case "caCertPath", "caCert":
		return "set trustCertsBundle"
	case "name", "hostname":
		return "set commonName"
	case "certPath", "keyPath":
		return "set clientAuth." + key
	default:
		return ""
	}
}

// keyError is a violated rule, at a key if it concerns one more than others.
type keyError struct{ key, message string }

func (e keyError) Error() string { return e.message }

// ConfigKey returns the key to report the error at.
func (e keyError) ConfigKey() string { return e.key }

// keyOf returns the key that err concerns, "" if none.
func keyOf(err error) string {
	var k interface{ ConfigKey() string }
	if errors.As(err, &k) {
		return k.ConfigKey()
	}
	return ""
}
