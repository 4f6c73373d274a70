package k8s

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Certificate is the certificate of some hosts of ingresses.
type Certificate struct {
	// Namespace and Secret say where it is from, and Hosts for which names ingresses
	// want it, sorted. No hosts means those of the certificate itself.
	Namespace, Secret string
	Hosts             []string

	// Certificate is replaced, not written to, when the secret changes.
	Certificate *tls.Certificate
}

func (c Certificate) equal(d Certificate) bool {
	return c.Namespace == d.Namespace && c.Secret == d.Secret && c.Certificate == d.Certificate && slices.Equal(c.Hosts, d.Hosts)
}

// certificate is a Secret of the type kubernetes.io/tls.
type certificate struct{ pair *tls.Certificate }

var errNotTLS = errors.New("the secret is not of the type kubernetes.io/tls")

func newSecrets(c *Client) *kind[certificate] {
	return newKind(c, kind[certificate]{
		plural: "secrets",
		apis:   []string{"/api/v1"},
		decode: decodeSecret,
		group:  func(o object[certificate]) string { return o.key.name },
	})
}

func decodeSecret(raw []byte) (object[certificate], error) {
	var w struct {
		Metadata metadata          `json:"metadata"`
		Type     string            `json:"type"`
		Data     map[string][]byte `json:"data"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return object[certificate]{}, errors.New("it is not a Secret as JSON") // without what is in it
	}
	if w.Data["tls.crt"] == nil || w.Data["tls.key"] == nil {
		return object[certificate]{}, errNotTLS
	}
	pair, err := tls.X509KeyPair(w.Data["tls.crt"], w.Data["tls.key"])
	if err != nil {
		return object[certificate]{}, fmt.Errorf("tls.crt and tls.key: %w", err)
	}
	return objectOf(w.Metadata, certificate{&pair}), nil
}
