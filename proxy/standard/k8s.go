package standard

import (
	"log/slog"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
)

func k8sNamers() []config.Entry {
	experimental := config.Traits{Experimental: true}
	role := config.RoleNamer
	return []config.Entry{
		config.Define(role, "io.l5d.k8s", func(c kinds.K8sNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return k8sNamer(k8s.New, c, "", e)
		}, config.Traits{}),
		config.Define(role, "io.l5d.k8s.ns", func(c kinds.K8sNamespacedNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return k8sNamer(k8s.NewNamespaced, c.K8sNamer, c.EnvVar, e)
		}, config.Traits{}),
		config.Define(role, "io.l5d.k8s.external", func(c kinds.K8sNamer, e plugin.NamerEnv) (naming.Namer, error) {
			return k8sNamer(k8s.NewExternal, c, "", e)
		}, experimental),
	}
}

func k8sNamer(
	build func(k8s.Config, k8s.Options) (*k8s.Namer, error), c kinds.K8sNamer, envVar string, e plugin.NamerEnv,
) (naming.Namer, error) {
	o, err := k8sOptions(c.K8sAPI, e.Shared, e.Logger)
	if err != nil {
		return nil, err
	}
	o.Resolve = k8s.Resolve(e.Resolve)
	return build(k8s.Config{Prefix: e.Prefix, LabelSelector: c.LabelSelector, EnvVar: envVar}, o)
}

// k8sOptions returns the options of whatever uses an API server: those with the same
// one share a client, and with it connections and watches.
func k8sOptions(api kinds.K8sAPI, shared *plugin.Shared, logger *slog.Logger) (k8s.Options, error) {
	access := k8sAccess(api)
	client, err := plugin.Share(shared, access, func() (*k8s.Client, error) {
		return k8s.NewClient(access, k8s.Options{Logger: logger})
	})
	return k8s.Options{Client: client, Logger: logger}, err
}

// k8sAccess is how to reach the API server. A configuration that says nothing means
// a kubectl proxy, as it does for Linkerd.
func k8sAccess(api kinds.K8sAPI) k8s.Access {
	switch {
	case api.InCluster:
		return k8s.Access{}
	case api.Kubeconfig != "" || api.Context != "":
		a := k8s.Access{Kubeconfig: api.Kubeconfig, Context: api.Context}
		if a.Kubeconfig == "default" {
			a.Kubeconfig = ""
		}
		return a
	}
	a := k8s.Access{Host: api.Host, Port: 8001}
	if a.Host == "" {
		a.Host = "localhost"
	}
	if api.Port != nil {
		a.Port = *api.Port
	}
	return a
}

func newConfigMapInterpreter(c kinds.ConfigMapInterpreter, e plugin.InterpreterEnv) (naming.Interpreter, error) {
	o, err := k8sOptions(c.K8sAPI, e.Shared, e.Logger)
	if err != nil {
		return nil, err
	}
	d, err := k8s.NewConfigMapDtab(k8s.ConfigMapConfig{Namespace: c.Namespace, Name: c.Name, Filename: c.Filename}, o)
	if err != nil {
		return nil, err
	}
	return newStored("io.l5d.k8s.configmap", d, e), nil
}
