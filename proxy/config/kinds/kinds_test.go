package kinds_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
)

func TestAllKindsOfLinkerd(t *testing.T) {
	r, err := config.NewRegistry(kinds.All()...)
	require.NoError(t, err)
	for role, want := range map[config.Role][]string{
		config.RoleProtocol:       {"h2", "http", "mux", "thrift", "thriftmux"},
		config.RoleLoadBalancer:   {"aperture", "ewma", "heap", "p2c", "roundRobin"},
		config.RoleFailureAccrual: {"io.l5d.consecutiveFailures", "io.l5d.successRate", "io.l5d.successRateWindowed", "none"},
		config.RoleBackoff:        {"constant", "jittered"},
		config.RoleLabeler:        {"connectionRandom", "ip", "ip:port", "requestRandom", "router", "static"},
		config.RoleHTTPPropagator: {"io.l5d.default", "io.l5d.zipkin"},
		config.RoleAnnouncer:      {"io.l5d.serversets"},
	} {
		assert.Equal(t, want, r.Kinds(role))
	}
	for role, count := range map[config.Role]int{
		config.RoleNamer: 13, config.RoleInterpreter: 8, config.RoleTransformer: 7, config.RoleTelemeter: 7,
		config.RoleHTTPIdentifier: 8, config.RoleH2Identifier: 5, config.RoleHTTPClassifier: 5, config.RoleH2Classifier: 10,
	} {
		assert.Len(t, r.Kinds(role), count, role)
	}
	for _, e := range r.Entries() {
		assert.False(t, e.Built(), "%s %s", e.Role, e.Name)
	}
}

func TestExperimentalKinds(t *testing.T) {
	var names []string
	for _, e := range kinds.All() {
		if e.Experimental {
			names = append(names, e.Role.String()+" "+e.Name)
		}
	}
	assert.Equal(t, []string{
		"protocol thriftmux",
		"namer io.l5d.k8s.external", "namer io.l5d.k8s.istio", "namer io.l5d.curator", "namer io.l5d.dnssrv", "namer io.l5d.rancher",
		"interpreter io.l5d.k8s.configMap", "interpreter io.l5d.namerd.http", "interpreter io.l5d.k8s.istio",
		"telemeter io.l5d.statsd", "storage io.l5d.etcd",
	}, names)
}

// TestRules are those that tags cannot express.
func TestRules(t *testing.T) {
	type rule interface{ Validate() error }
	one, two := 1, 2
	half, zero := 0.5, 0.0
	for want, c := range map[string]rule{
		"`dst` is a required field":                                     &kinds.NamerdThrift{},
		"path is required":                                              &kinds.StaticIdentifier{},
		"'minMs' must be specified\n'maxMs' must be specified":          &kinds.JitteredBackoff{},
		"`segments` must be >= 1":                                       &kinds.HeaderPathIdentifier{Segments: new(int)},
		"lowLoad must not be larger than highLoad":                      &kinds.Aperture{LowLoad: &half, HighLoad: &zero},
		`match: pattern "/{a}("`:                                        &kinds.RewriteNamer{Pattern: "/{a}("},
		"tls is configured with validation but `commonName` is not set": &kinds.ConsulNamer{TLS: &config.ClientTLS{}},
		"url takes the place of host and port":                          &kinds.ZipkinTelemeter{URL: "http://a", Port: &one},
		`"a:9411" is not the address of a collector`:                    &kinds.ZipkinTelemeter{URL: "a:9411"},
		"tls needs a url with https":                                    &kinds.ZipkinTelemeter{URL: "http://a", TLS: &config.ClientTLS{}},
		`endpoint "ftp://a" has a scheme other than http and https`:     &kinds.OTLPTelemeter{Endpoint: "ftp://a"},
		"the endpoint says not to use TLS":                              &kinds.OTLPTelemeter{Endpoint: "http://a", TLS: &config.ClientTLS{}},
	} {
		assert.ErrorContains(t, c.Validate(), want)
	}
	assert.NoError(t, (&kinds.HeaderPathIdentifier{Segments: &one}).Validate())
	assert.NoError(t, (&kinds.Aperture{P2C: kinds.P2C{MaxEffort: &two}}).Validate())
	assert.NoError(t, (&kinds.ConsulNamer{}).Validate())
	assert.NoError(t, (&kinds.ZipkinTelemeter{URL: "https://a", TLS: &config.ClientTLS{}}).Validate())
	assert.NoError(t, (&kinds.OTLPTelemeter{Endpoint: "a", TLS: &config.ClientTLS{}}).Validate())
}
