package standard

import (
	"errors"
	"os"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/marathon"
	"github.com/weft-mesh/weft/naming/rancher"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func schedulerNamers() []config.Entry {
	return []config.Entry{
		config.Define(config.RoleNamer, "io.l5d.marathon", newMarathon, config.Traits{}),
		config.Define(config.RoleNamer, "io.l5d.rancher", func(c kinds.RancherNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return rancher.New(rancher.Config{PortMappings: c.PortMappings, MaxWait: or(c.MaxWait), Prefix: e.Prefix}, rancher.Options{Logger: e.Logger})
		}, config.Traits{Experimental: true}),
	}
}

// viaDst is a namer whose API is where a path is bound to.
type viaDst struct {
	*marathon.Namer
	dst *dstEndpoints
}

// Close ends the namer, then the watch of where its API is.
func (v viaDst) Close() error { return errors.Join(v.Namer.Close(), v.dst.Close()) }

func newMarathon(c kinds.MarathonNamer, e plugin.NamerEnv) (naming.Namer, error) {
	tls, err := tlsfiles.ClientConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	cfg := marathon.Config{
		Host: c.Host, URIPrefix: c.URIPrefix, TTL: c.TTL, Jitter: c.Jitter, UseHealthCheck: c.UseHealthCheck, TLS: tls, Prefix: e.Prefix,
		BasicAuth: os.Getenv("MARATHON_HTTP_AUTH_CREDENTIAL"), DCOS: os.Getenv("DCOS_SERVICE_ACCOUNT_CREDENTIAL"),
	}
	if c.Port != nil {
		cfg.Port = *c.Port
	}
	o := marathon.Options{Resolve: marathon.Resolve(e.Resolve), Logger: e.Logger}
	if c.Dst == nil {
		return marathon.New(cfg, o)
	}
	dst := newDestination(e.Binder, e.Logger, *c.Dst)
	o.Dial = dst.Dial
	n, err := marathon.New(cfg, o)
	if err != nil {
		return nil, errors.Join(err, dst.Close())
	}
	return viaDst{n, dst}, nil
}
