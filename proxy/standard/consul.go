package standard

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/consul"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
)

func consulKinds() []config.Entry {
	t := config.Traits{}
	return []config.Entry{
		config.Define(config.RoleNamer, "io.l5d.consul", newConsulNamer, t),
		config.Define(config.RoleInterpreter, "io.l5d.consul.interpreter", newConsulInterpreter, t),
		config.Define(config.RoleAnnouncer, "io.l5d.consul", newConsulAnnouncer, t),
	}
}

func consulAgent(host string, port *int, token string, tls *config.ClientTLS) (consul.Agent, error) {
	a := consul.Agent{Host: host, Token: token}
	if port != nil {
		a.Port = *port
	}
	var err error
	a.TLS, err = tlsfiles.ClientConfig(tls)
	return a, err
}

func newConsulNamer(c kinds.ConsulNamer, e plugin.NamerEnv) (naming.Namer, error) {
	agent, err := consulAgent(c.Host, c.Port, c.Token, c.TLS)
	if err != nil {
		return nil, err
	}
	agent.FailFast = c.FailFast
	cfg := consul.Config{
		Agent: agent, Prefix: e.Prefix, IncludeTag: c.IncludeTag, UseHealthCheck: c.UseHealthCheck, SetHost: c.SetHost,
		ConsistencyMode: consul.Consistency(c.ConsistencyMode), PreferServiceAddress: c.PreferServiceAddress,
		TransferMetadata: c.TransferMetadata,
	}
	for _, s := range c.HealthStatuses {
		cfg.HealthStatuses = append(cfg.HealthStatuses, consul.HealthStatus(s))
	}
	for _, w := range c.Weights {
		cfg.Weights = append(cfg.Weights, consul.TagWeight{Tag: w.Tag, Weight: w.Weight})
	}
	return consul.New(cfg, consul.Options{Resolve: consul.Resolve(e.Resolve), Metrics: e.Metrics, Logger: e.Logger})
}

func newConsulInterpreter(c kinds.ConsulInterpreter, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	agent, err := consulAgent(c.Host, c.Port, c.Token, c.TLS)
	if err != nil {
		return nil, err
	}
	agent.FailFast = c.FailFast
	cfg := consul.DtabConfig{
		Agent: agent, Namespace: c.Namespace, Datacenter: c.Datacenter, ReadConsistencyMode: consul.Consistency(c.ReadConsistencyMode),
	}
	if c.PathPrefix != nil {
		cfg.PathPrefix = *c.PathPrefix
	}
	if c.Backoff != nil {
		switch b := c.Backoff.Config.(type) {
		case kinds.ConstantBackoff:
			cfg.MinBackoff, cfg.MaxBackoff = b.Delay, b.Delay
		case kinds.JitteredBackoff:
			cfg.MinBackoff, cfg.MaxBackoff = *b.Min, *b.Max
		}
	}
	d, err := consul.NewDtab(cfg, consul.Options{Logger: e.Logger})
	if err != nil {
		return nil, err
	}
	return newStored("io.l5d.consul.interpreter", d, e), nil
}

func newConsulAnnouncer(c kinds.ConsulAnnouncer, e plugin.AnnouncerEnv) (plugin.Announcer, error) {
	agent, err := consulAgent(c.Host, c.Port, c.Token, c.TLS)
	if err != nil {
		return nil, err
	}
	return consul.NewAnnouncer(consul.AnnouncerConfig{Agent: agent, Prefix: e.Prefix, Tags: c.Tags}, consul.Options{Logger: e.Logger})
}
