package kinds

import (
	"errors"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/match"
	"github.com/weft-mesh/weft/proxy/config"
)

// FSNamer is the configuration of io.l5d.fs.
type FSNamer struct {
	RootDir string `yaml:"rootDir" weft:"required,dir"`
}

// K8sAPI is where the Kubernetes API is: a kubectl proxy, as Linkerd has it, or the
// cluster of a kubeconfig or of the pod, which are weft's.
type K8sAPI struct {
	Host string `yaml:"host"`             // localhost
	Port *int   `yaml:"port" weft:"port"` // 8001

	// Kubeconfig is a file, "default" for those that kubectl would use. Context is one
	// of its contexts, empty for the current one.
	Kubeconfig string `yaml:"kubeconfig"`
	Context    string `yaml:"context"`

	// InCluster uses the service account of the pod, or outside of one what kubectl
	// would use.
	InCluster bool `yaml:"inCluster"`
}

// Validate implements the decoder's rules.
func (a *K8sAPI) Validate() error {
	plain, file := a.Host != "" || a.Port != nil, a.Kubeconfig != "" || a.Context != ""
	return all(
		errIf(plain && file, "kubeconfig", "host and port are those of a kubectl proxy: set them or kubeconfig, not both"),
		errIf(a.InCluster && (plain || file), "inCluster", "inCluster finds the API server by itself: remove host, port, kubeconfig and context"),
	)
}

// K8sNamer is the configuration of io.l5d.k8s and io.l5d.k8s.external.
type K8sNamer struct {
	K8sAPI        `yaml:",inline"`
	LabelSelector string `yaml:"labelSelector"`
}

// K8sNamespacedNamer is the configuration of io.l5d.k8s.ns.
type K8sNamespacedNamer struct {
	K8sNamer `yaml:",inline"`
	EnvVar   string `yaml:"envVar"` // POD_NAMESPACE
}

// IstioNamer is the configuration of io.l5d.k8s.istio.
type IstioNamer struct {
	Host string `yaml:"host"`             // istio-pilot
	Port *int   `yaml:"port" weft:"port"` // 8080
}

// ConsulNamer is the configuration of io.l5d.consul.
type ConsulNamer struct {
	Host                       string            `yaml:"host"`             // localhost
	Port                       *int              `yaml:"port" weft:"port"` // 8500
	IncludeTag                 bool              `yaml:"includeTag"`
	UseHealthCheck             bool              `yaml:"useHealthCheck"`
	HealthStatuses             []HealthStatus    `yaml:"healthStatuses" weft:"enum=passing|warning|critical|maintenance"` // passing
	Token                      string            `yaml:"token" weft:"secret"`
	SetHost                    bool              `yaml:"setHost"`
	ConsistencyMode            string            `yaml:"consistencyMode" weft:"enum=default|stale|consistent"`
	FailFast                   bool              `yaml:"failFast"`
	PreferServiceAddress       *bool             `yaml:"preferServiceAddress"` // true
	Weights                    []TagWeight       `yaml:"weights"`
	FixedLengthStreamedAfterKB *int              `yaml:"fixedLengthStreamedAfterKB" weft:"min=0"`
	TLS                        *config.ClientTLS `yaml:"tls"`
	TransferMetadata           bool              `yaml:"transferMetadata"`
}

// Validate implements the decoder's rules.
func (c *ConsulNamer) Validate() error { return checkTLS(c.TLS) }

// HealthStatus is a status of Consul's health checks.
type HealthStatus string

// TagWeight is the weight of services with a tag.
type TagWeight struct {
	Tag    string  `yaml:"tag" weft:"required"`
	Weight float64 `yaml:"weight" weft:"required,min=0"`
}

// MarathonNamer is the configuration of io.l5d.marathon.
type MarathonNamer struct {
	Host           string            `yaml:"host"`             // marathon.mesos
	Port           *int              `yaml:"port" weft:"port"` // 80
	Dst            *dtab.Path        `yaml:"dst"`
	URIPrefix      string            `yaml:"uriPrefix"`
	TTL            *time.Duration    `yaml:"ttlMs" weft:"unit=ms"`    // 5 s
	Jitter         *time.Duration    `yaml:"jitterMs" weft:"unit=ms"` // 50 ms
	UseHealthCheck bool              `yaml:"useHealthCheck"`
	TLS            *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *MarathonNamer) Validate() error { return checkTLS(c.TLS) }

// ZkAddr is the address of a ZooKeeper server.
type ZkAddr struct {
	Host string `yaml:"host" weft:"required,nonempty"`
	Port *int   `yaml:"port" weft:"port"` // 2181
}

// ZkSession is how sessions with ZooKeeper are held. The keys are weft's.
type ZkSession struct {
	SessionTimeout *time.Duration    `yaml:"sessionTimeoutMs" weft:"unit=ms,min=1"` // 10 s
	Auth           string            `yaml:"auth" weft:"secret"`                    // user:password, scheme digest
	TLS            *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (z *ZkSession) Validate() error { return checkTLS(z.TLS) }

// ServersetsNamer is the configuration of io.l5d.serversets.
type ServersetsNamer struct {
	ZkAddrs   []ZkAddr `yaml:"zkAddrs" weft:"required,nonempty"`
	ZkSession `yaml:",inline"`
}

// ZkHostPort is an address of which both parts must be given.
type ZkHostPort struct {
	Host string `yaml:"host" weft:"required,nonempty"`
	Port int    `yaml:"port" weft:"required,port"`
}

// ZkLeaderNamer is the configuration of io.l5d.zkLeader.
type ZkLeaderNamer struct {
	ZkAddrs   []ZkHostPort `yaml:"zkAddrs" weft:"required,nonempty"`
	ZkSession `yaml:",inline"`
}

// CuratorNamer is the configuration of io.l5d.curator.
type CuratorNamer struct {
	ZkAddrs   []ZkAddr `yaml:"zkAddrs" weft:"required,nonempty"`
	BasePath  string   `yaml:"basePath"` // /
	ZkSession `yaml:",inline"`
}

// DNSSRVNamer is the configuration of io.l5d.dnssrv.
type DNSSRVNamer struct {
	RefreshInterval *time.Duration `yaml:"refreshIntervalSeconds" weft:"unit=s,min=1"` // 5 s
	DNSHosts        []string       `yaml:"dnsHosts"`

	// IgnoreWeights takes all targets alike, whatever their priorities and weights, as
	// Linkerd does. The key is weft's.
	IgnoreWeights bool `yaml:"ignoreWeights"`
}

// DNSNamer is the configuration of dns, which Linkerd has not: A and AAAA records.
type DNSNamer struct {
	DNSHosts []string       `yaml:"dnsHosts"`
	MinTTL   *time.Duration `yaml:"minTtlSeconds" weft:"unit=s,min=1"` // 1 s
	MaxTTL   *time.Duration `yaml:"maxTtlSeconds" weft:"unit=s,min=1"` // 300 s
}

// EtcdNamer is the configuration of io.l5d.etcd, which Linkerd has not.
type EtcdNamer struct {
	Endpoints  []string          `yaml:"endpoints" weft:"required,nonempty"`
	Username   string            `yaml:"username"`
	Password   string            `yaml:"password" weft:"secret"`
	PathPrefix string            `yaml:"pathPrefix"` // /weft/services
	TLS        *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *EtcdNamer) Validate() error {
	return all(checkTLS(c.TLS), errIf((c.Username == "") != (c.Password == ""), "username", "username and password are set together"))
}

// RancherNamer is the configuration of io.l5d.rancher.
type RancherNamer struct {
	PortMappings map[string]int `yaml:"portMappings" weft:"port"` // http 80, https 443
	MaxWait      *time.Duration `yaml:"maxWait" weft:"unit=s"`    // 30 s
}

// RewriteNamer is the configuration of io.l5d.rewrite.
type RewriteNamer struct {
	Pattern string `yaml:"pattern" weft:"required"`
	Name    string `yaml:"name" weft:"required"`
}

// Validate implements the decoder's rules.
func (c *RewriteNamer) Validate() error {
	if _, err := match.Compile(c.Pattern); err != nil {
		return keyError{"pattern", err.Error()}
	}
	return nil
}

// Namers returns the declarations of the namers.
func Namers() []config.Entry {
	role := config.RoleNamer
	return []config.Entry{
		config.Declare[FSNamer](role, "io.l5d.fs", stable()),
		config.Declare[K8sNamer](role, "io.l5d.k8s", stable()),
		config.Declare[K8sNamespacedNamer](role, "io.l5d.k8s.ns", stable()),
		config.Declare[K8sNamer](role, "io.l5d.k8s.external", experimental()),
		config.Declare[IstioNamer](role, "io.l5d.k8s.istio", experimentalIstio()),
		config.Declare[ConsulNamer](role, "io.l5d.consul", stable()),
		config.Declare[MarathonNamer](role, "io.l5d.marathon", stable()),
		config.Declare[ServersetsNamer](role, "io.l5d.serversets", stable()),
		config.Declare[ZkLeaderNamer](role, "io.l5d.zkLeader", stable()),
		config.Declare[CuratorNamer](role, "io.l5d.curator", experimental()),
		config.Declare[DNSSRVNamer](role, "io.l5d.dnssrv", experimental()),
		config.Declare[RancherNamer](role, "io.l5d.rancher", experimental()),
		config.Declare[RewriteNamer](role, "io.l5d.rewrite", config.Traits{PrefixRequired: true}),
	}
}

// checkTLS reports at the key tls what ClientTLS.Check finds.
func checkTLS(t *config.ClientTLS) error {
	if t == nil {
		return nil
	}
	if err := t.Check(); err != nil {
		return keyError{"tls", err.Error()}
	}
	return nil
}

// keyError is a violated rule at a key.
type keyError struct{ key, message string }

func (e keyError) Error() string { return e.message }

// ConfigKey returns the key to report the error at.
func (e keyError) ConfigKey() string { return e.key }

func errIf(bad bool, key, message string) error {
	if bad {
		return keyError{key, message}
	}
	return nil
}

func all(errs ...error) error { return errors.Join(errs...) }
