package standard

import (
	"crypto/tls"
	"errors"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/ingress"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func ingressIdentifiers() []config.Entry {
	t := config.Traits{}
	return []config.Entry{
		config.Define(config.RoleHTTPIdentifier, "io.l5d.ingress", func(c kinds.IngressIdentifier, e plugin.IdentifierEnv) (meshhttp.Identifier, error) {
			rules, certs, err := newIngress(c, e)
			if err != nil {
				return nil, err
			}
			if certs == nil {
				return rules.HTTP(), nil
			}
			return httpIngress{rules.HTTP(), ingressCertificates{rules, certs}}, nil
		}, t),
		config.Define(config.RoleH2Identifier, "io.l5d.ingress", func(c kinds.IngressIdentifier, e plugin.IdentifierEnv) (meshh2.Identifier, error) {
			rules, certs, err := newIngress(c, e)
			if err != nil {
				return nil, err
			}
			if certs == nil {
				return rules.H2(), nil
			}
			return h2Ingress{rules.H2(), ingressCertificates{rules, certs}}, nil
		}, t),
	}
}

type certificates = weft.Source[naming.State[[]k8s.Certificate]]

// newIngress returns the rules, and the certificates if they are wanted.
func newIngress(c kinds.IngressIdentifier, e plugin.IdentifierEnv) (*ingress.Rules, certificates, error) {
	o, err := k8sOptions(c.K8sAPI, e.Shared, e.Logger)
	if err != nil {
		return nil, nil, err
	}
	o.Certificates = c.Certificates
	table, err := k8s.NewIngresses(k8s.IngressConfig{Namespace: c.Namespace}, o)
	if err != nil {
		return nil, nil, err
	}
	rules, err := ingress.New(ingress.Config{
		Prefix: e.Prefix, Class: c.IngressClassAnnotation, IgnoreDefaultBackends: c.IgnoreDefaultBackends, Timeout: e.BindingTimeout,
	}, table, ingress.Options{Logger: e.Logger})
	if err != nil {
		return nil, nil, errors.Join(err, table.Close())
	}
	if e.Report != nil {
		e.Report("io.l5d.ingress", table)
	}
	if !c.Certificates {
		return rules, nil, nil
	}
	return rules, table.Certificates(), nil
}

// httpIngress and h2Ingress are identifiers that also know certificates.
type httpIngress struct {
	ingress.HTTP
	ingressCertificates
}

type h2Ingress struct {
	ingress.H2
	ingressCertificates
}

type ingressCertificates struct {
	rules *ingress.Rules
	certs certificates
}

// Certificate implements plugin.Certificates.
func (i ingressCertificates) Certificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return i.rules.GetCertificate(i.certs, nil)
}
