package standard

import (
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/h2router"
	"github.com/weft-mesh/weft/proxy/httprouter"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func protocols() []config.Entry {
	return []config.Entry{
		config.Define(config.RoleProtocol, "http", func(_ none, env plugin.RouterEnv) (*plugin.Router, error) {
			return httprouter.New(env)
		}, config.Traits{}),
		config.Define(config.RoleProtocol, "h2", func(_ none, env plugin.RouterEnv) (*plugin.Router, error) {
			return h2router.New(env)
		}, config.Traits{}),
	}
}

func identifiers() []config.Entry {
	type id = meshhttp.Identifier
	role, env := config.RoleHTTPIdentifier, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.header.token", func(c kinds.HeaderIdentifier, e plugin.IdentifierEnv) (id, error) {
			return meshhttp.HeaderToken{Prefix: e.Prefix, Header: c.Header}, nil
		}, env),
		config.Define(role, "io.l5d.header", func(c kinds.HeaderIdentifier, e plugin.IdentifierEnv) (id, error) {
			return meshhttp.HeaderPath{Prefix: e.Prefix, Header: c.Header}, nil
		}, env),
		config.Define(role, "io.l5d.methodAndHost", func(c kinds.MethodAndHostIdentifier, e plugin.IdentifierEnv) (id, error) {
			return meshhttp.MethodAndHost{Prefix: e.Prefix, URI: c.HTTPURIInDst}, nil
		}, env),
		config.Define(role, "io.l5d.path", func(c kinds.PathIdentifier, e plugin.IdentifierEnv) (id, error) {
			p := meshhttp.PathSegments{Prefix: e.Prefix, Consume: c.Consume}
			if c.Segments != nil {
				p.N = *c.Segments
			}
			return p, nil
		}, env),
		config.Define(role, "io.l5d.static", func(c kinds.StaticIdentifier, e plugin.IdentifierEnv) (id, error) {
			return meshhttp.Static{Prefix: e.Prefix, Path: *c.Path}, nil
		}, env),
	}
}

func classifiers() []config.Entry {
	of := func(name string, c meshhttp.Classifier) config.Entry {
		return config.Define(config.RoleHTTPClassifier, name, func(none, plugin.Env) (meshhttp.Classifier, error) {
			return c, nil
		}, config.Traits{})
	}
	return []config.Entry{
		of("io.l5d.http.nonRetryable5XX", meshhttp.NonRetryable5XX{}),
		of("io.l5d.http.retryableRead5XX", meshhttp.Read),
		of("io.l5d.http.retryableIdempotent5XX", meshhttp.Idempotent),
		of("io.l5d.http.retryableAll5XX", meshhttp.All),
		of("io.l5d.http.allSuccessful", meshhttp.AllSuccessful{}),
	}
}

func labelers() []config.Entry {
	of := func(name string, l meshhttp.Labeler) config.Entry {
		return config.Define(config.RoleLabeler, name, func(none, plugin.LabelerEnv) (meshhttp.Labeler, error) {
			return l, nil
		}, config.Traits{})
	}
	return []config.Entry{
		of("requestRandom", meshhttp.RequestRandom{}),
		of("connectionRandom", meshhttp.ConnectionRandom{}),
		of("ip", meshhttp.IP{}),
		of("ip:port", meshhttp.IP{Port: true}),
		config.Define(config.RoleLabeler, "router", func(_ none, e plugin.LabelerEnv) (meshhttp.Labeler, error) {
			return meshhttp.StaticLabel(e.Router), nil
		}, config.Traits{}),
		config.Define(config.RoleLabeler, "static", func(c kinds.StaticLabeler, _ plugin.LabelerEnv) (meshhttp.Labeler, error) {
			return meshhttp.StaticLabel(c.Label), nil
		}, config.Traits{}),
	}
}
