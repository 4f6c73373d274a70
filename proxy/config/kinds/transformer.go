package kinds

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// PortTransformer is the configuration of io.l5d.port.
type PortTransformer struct {
	Port int `yaml:"port" weft:"required,port"`
}

// SpecificHostTransformer is the configuration of io.l5d.specificHost.
type SpecificHostTransformer struct {
	Host string `yaml:"host" weft:"required,nonempty"`
}

// LocalnodeTransformer is the configuration of io.l5d.k8s.localnode.
type LocalnodeTransformer struct {
	HostNetwork bool `yaml:"hostNetwork"`
}

// DaemonsetTransformer is the configuration of io.l5d.k8s.daemonset.
type DaemonsetTransformer struct {
	Namespace   string `yaml:"namespace" weft:"required,nonempty"`
	Service     string `yaml:"service" weft:"required,nonempty"`
	Port        string `yaml:"port" weft:"required,nonempty"`
	K8sHost     string `yaml:"k8sHost"`             // localhost
	K8sPort     *int   `yaml:"k8sPort" weft:"port"` // 8001
	HostNetwork bool   `yaml:"hostNetwork"`
	Kubeconfig  string `yaml:"kubeconfig"` // these three as in K8sAPI
	Context     string `yaml:"context"`
	InCluster   bool   `yaml:"inCluster"`
}

// API returns where the Kubernetes API is.
func (c *DaemonsetTransformer) API() K8sAPI {
	return K8sAPI{Host: c.K8sHost, Port: c.K8sPort, Kubeconfig: c.Kubeconfig, Context: c.Context, InCluster: c.InCluster}
}

// Validate implements the decoder's rules.
func (c *DaemonsetTransformer) Validate() error {
	api := c.API()
	return api.Validate()
}

// PathTransformer is the configuration of io.l5d.const and io.l5d.replace.
type PathTransformer struct {
	Path dtab.Path `yaml:"path" weft:"required"`
}

// Transformers returns the declarations of the transformers. The default prefixes
// of port, localnode and daemonset go on with what they are configured with.
func Transformers() []config.Entry {
	role := config.RoleTransformer
	return []config.Entry{
		config.Declare[PortTransformer](role, "io.l5d.port", stable()),
		config.Declare[none](role, "io.l5d.localhost", stable()),
		config.Declare[SpecificHostTransformer](role, "io.l5d.specificHost", stable()),
		config.Declare[LocalnodeTransformer](role, "io.l5d.k8s.localnode", stable()),
		config.Declare[DaemonsetTransformer](role, "io.l5d.k8s.daemonset", stable()),
		config.Declare[PathTransformer](role, "io.l5d.const", stable()),
		config.Declare[PathTransformer](role, "io.l5d.replace", stable()),
	}
}

// ServersetsAnnouncer is the configuration of the announcer io.l5d.serversets.
type ServersetsAnnouncer struct {
	ZkAddrs    []ZkAddr   `yaml:"zkAddrs" weft:"required,nonempty"`
	PathPrefix *dtab.Path `yaml:"pathPrefix"` // /discovery
	ZkSession  `yaml:",inline"`
}

// ConsulAnnouncer is the configuration of the announcer io.l5d.consul, which Linkerd
// has not.
type ConsulAnnouncer struct {
	Host  string            `yaml:"host"`             // localhost
	Port  *int              `yaml:"port" weft:"port"` // 8500
	Token string            `yaml:"token" weft:"secret"`
	Tags  []string          `yaml:"tags"`
	TLS   *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *ConsulAnnouncer) Validate() error { return checkTLS(c.TLS) }

// Announcers returns the declarations of the announcers.
func Announcers() []config.Entry {
	return []config.Entry{
		config.Declare[ServersetsAnnouncer](config.RoleAnnouncer, "io.l5d.serversets", stable()),
	}
}
