package standard

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/dns"
	"github.com/weft-mesh/weft/naming/etcd"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

// otherNamers are those of which there is one to a system.
func otherNamers() []config.Entry {
	role := config.RoleNamer
	return []config.Entry{
		config.Define(role, "io.l5d.dnssrv", func(c kinds.DNSSRVNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return dns.NewSRV(dns.SRVConfig{
				RefreshInterval: or(c.RefreshInterval), Hosts: c.DNSHosts, IgnoreWeights: c.IgnoreWeights, Prefix: e.Prefix,
			}, dns.Options{Metrics: e.Metrics, Logger: e.Logger})
		}, config.Traits{Experimental: true}),
		config.Define(role, "dns", func(c kinds.DNSNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return dns.New(dns.Config{Hosts: c.DNSHosts, MinTTL: or(c.MinTTL), MaxTTL: or(c.MaxTTL), Prefix: e.Prefix}, dns.Options{Logger: e.Logger})
		}, config.Traits{}),
		config.Define(role, "io.l5d.etcd", func(c kinds.EtcdNamer, e plugin.NamerEnv) (naming.Namer, error) {
			tls, err := tlsfiles.ClientConfig(c.TLS)
			if err != nil {
				return nil, err
			}
			return etcd.New(etcd.Config{
				Endpoints: c.Endpoints, Username: c.Username, Password: c.Password, TLS: tls, PathPrefix: c.PathPrefix, Prefix: e.Prefix,
			}, etcd.Options{Resolve: etcd.Resolve(e.Resolve), Logger: e.Logger})
		}, config.Traits{}),
	}
}

// or returns what v points to, the zero value if it was not configured.
func or[T any](v *T) T {
	var zero T
	if v == nil {
		return zero
	}
	return *v
}
