package standard

import (
	"errors"
	"os"

	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/naming/transformer"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
)

func transformers() []config.Entry {
	type (
		tr  = transformer.Transformer
		env = plugin.TransformerEnv
	)
	role, t := config.RoleTransformer, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.port", func(c kinds.PortTransformer, e env) (tr, error) {
			return transformer.NewPort(transformer.PortConfig{Port: c.Port, Prefix: e.Prefix})
		}, t),
		config.Define(role, "io.l5d.localhost", func(_ none, e env) (tr, error) {
			return transformer.NewLocalhost(transformer.LocalhostConfig{Prefix: e.Prefix})
		}, t),
		config.Define(role, "io.l5d.specificHost", func(c kinds.SpecificHostTransformer, e env) (tr, error) {
			return transformer.NewSpecificHost(transformer.SpecificHostConfig{Host: c.Host, Prefix: e.Prefix}, transformerOptions(e))
		}, t),
		config.Define(role, "io.l5d.k8s.localnode", func(c kinds.LocalnodeTransformer, e env) (tr, error) {
			return transformer.NewLocalnode(transformer.LocalnodeConfig{
				HostNetwork: c.HostNetwork, PodIP: os.Getenv("POD_IP"), NodeName: os.Getenv("NODE_NAME"), Prefix: e.Prefix,
			})
		}, t),
		config.Define(role, "io.l5d.k8s.daemonset", newDaemonset, t),
		config.Define(role, "io.l5d.const", func(c kinds.PathTransformer, e env) (tr, error) {
			return transformer.NewConst(transformer.PathConfig{Path: c.Path, Prefix: e.Prefix}, e.Binder)
		}, t),
		config.Define(role, "io.l5d.replace", func(c kinds.PathTransformer, e env) (tr, error) {
			return transformer.NewReplace(transformer.PathConfig{Path: c.Path, Prefix: e.Prefix}, e.Binder)
		}, t),
	}
}

func transformerOptions(e plugin.TransformerEnv) transformer.Options {
	return transformer.Options{Resolve: transformer.Resolve(e.Resolve), Logger: e.Logger}
}

// newDaemonset gives the transformer a namer of its own, over the connection and the
// watches that others of the same API server use too.
func newDaemonset(c kinds.DaemonsetTransformer, e plugin.TransformerEnv) (transformer.Transformer, error) {
	o, err := k8sOptions(c.API(), e.Shared, e.Logger)
	if err != nil {
		return nil, err
	}
	gateways, err := k8s.New(k8s.Config{}, o)
	if err != nil {
		return nil, err
	}
	t, err := transformer.NewDaemonset(transformer.DaemonsetConfig{
		Namespace: c.Namespace, Port: c.Port, Service: c.Service, HostNetwork: c.HostNetwork, Prefix: e.Prefix,
	}, gateways, transformerOptions(e))
	if err != nil {
		return nil, errors.Join(err, gateways.Close())
	}
	return t, nil
}
