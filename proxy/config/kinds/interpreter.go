package kinds

import (
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// FSInterpreter is the configuration of the interpreter io.l5d.fs.
type FSInterpreter struct {
	DtabFile string `yaml:"dtabFile" weft:"required,file"`
}

// ConfigMapInterpreter is the configuration of io.l5d.k8s.configMap.
type ConfigMapInterpreter struct {
	K8sAPI    `yaml:",inline"`
	Name      string `yaml:"name" weft:"required,nonempty"`
	Filename  string `yaml:"filename" weft:"required,nonempty"`
	Namespace string `yaml:"namespace"` // default
}

// ConsulInterpreter is the configuration of io.l5d.consul.interpreter.
type ConsulInterpreter struct {
	Host                 string            `yaml:"host"`             // localhost
	Port                 *int              `yaml:"port" weft:"port"` // 8500
	PathPrefix           *dtab.Path        `yaml:"pathPrefix"`       // /namerd/dtabs
	Namespace            string            `yaml:"namespace"`        // default
	Token                string            `yaml:"token" weft:"secret"`
	Datacenter           string            `yaml:"datacenter"`
	ReadConsistencyMode  string            `yaml:"readConsistencyMode" weft:"enum=default|stale|consistent"`
	WriteConsistencyMode string            `yaml:"writeConsistencyMode" weft:"enum=default|stale|consistent"`
	FailFast             bool              `yaml:"failFast"`
	Backoff              *config.Part      `yaml:"backoff" weft:"role=backoff"` // jittered 1 ms to 1 min
	TLS                  *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *ConsulInterpreter) Validate() error { return checkTLS(c.TLS) }

// Namerd is what the interpreters that ask a namerd have in common.
type Namerd struct {
	Dst   *dtab.Path   `yaml:"dst"` // required
	Retry *NamerdRetry `yaml:"retry"`

	// Dsts are further places where namerds are, and CacheDir is where what they last
	// said is kept for a start without any of them. Both are weft's.
	Dsts     []dtab.Path `yaml:"dsts"`
	CacheDir string      `yaml:"cacheDir"`
}

// Validate implements the decoder's rules.
func (c *Namerd) Validate() error {
	return errIf(c.Dst == nil && len(c.Dsts) == 0, "dst", "`dst` is a required field")
}

// NamerdRetry is the backoff of requests to a namerd.
type NamerdRetry struct {
	Base *time.Duration `yaml:"baseSeconds" weft:"unit=s"` // 5 s, 1 s for io.l5d.mesh
	Max  *time.Duration `yaml:"maxSeconds" weft:"unit=s"`  // 600 s
}

// Validate implements the decoder's rules.
func (r *NamerdRetry) Validate() error {
	base, limit := time.Second, 600*time.Second
	if r.Base != nil {
		base = *r.Base
	}
	if r.Max != nil {
		limit = *r.Max
	}
	return errIf(base <= 0 || limit <= 0 || base > limit, "", fmt.Sprintf("illegal retry values: baseSeconds=%d maxSeconds=%d",
		base/time.Second, limit/time.Second))
}

// FailureThreshold is when the connection to a namerd counts as dead.
type FailureThreshold struct {
	MinPeriod    *time.Duration `yaml:"minPeriodMs" weft:"unit=ms"`    // 5 s
	CloseTimeout *time.Duration `yaml:"closeTimeoutMs" weft:"unit=ms"` // 4 s, 6 s for io.l5d.mesh
}

// NamerdThrift is the configuration of io.l5d.namerd.
type NamerdThrift struct {
	Namerd           `yaml:",inline"`
	Namespace        string            `yaml:"namespace"` // default
	TLS              *NamerdTLS        `yaml:"tls"`
	FailureThreshold *FailureThreshold `yaml:"failureThreshold"`
}

// NamerdTLS is the TLS block of io.l5d.namerd, without clientAuth that of the original.
type NamerdTLS struct {
	CommonName string             `yaml:"commonName" weft:"required"`
	CACert     string             `yaml:"caCert" weft:"readable"`
	ClientAuth *config.ClientAuth `yaml:"clientAuth"` // weft's
}

// NamerdHTTP is the configuration of io.l5d.namerd.http.
type NamerdHTTP struct {
	Namerd    `yaml:",inline"`
	Namespace string            `yaml:"namespace"` // default
	TLS       *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *NamerdHTTP) Validate() error { return all(c.Namerd.Validate(), checkTLS(c.TLS)) }

// NamerdMesh is the configuration of io.l5d.mesh.
type NamerdMesh struct {
	Namerd                    `yaml:",inline"`
	Root                      *dtab.Path        `yaml:"root"` // /default
	TLS                       *config.ClientTLS `yaml:"tls"`
	FailureThreshold          *FailureThreshold `yaml:"failureThreshold"`
	InitialStreamWindowSizeKB *int              `yaml:"initialStreamWindowSizeKB" weft:"min=1"` // 10240
}

// Validate implements the decoder's rules.
func (c *NamerdMesh) Validate() error {
	var root error
	if c.Root != nil {
		root = errIf(c.Root.Len() != 1, "root",
			"io.l5d.mesh: `root` may only contain a single path element (for now): "+c.Root.String())
	}
	return all(c.Namerd.Validate(), root, checkTLS(c.TLS))
}

// IstioInterpreter is the configuration of the interpreter io.l5d.k8s.istio.
type IstioInterpreter struct {
	K8sHost       string `yaml:"k8sApiserverHost"`             // localhost
	K8sPort       *int   `yaml:"k8sApiserverPort" weft:"port"` // 8001
	EnvVar        string `yaml:"envVar"`                       // POD_NAMESPACE
	LabelSelector string `yaml:"labelSelector"`
	DiscoveryHost string `yaml:"discoveryHost"`             // istio-pilot
	DiscoveryPort *int   `yaml:"discoveryPort" weft:"port"` // 8080
	APIServerHost string `yaml:"apiserverHost"`             // istio-pilot
	APIServerPort *int   `yaml:"apiserverPort" weft:"port"` // 8081
}

// Interpreters returns the declarations of the interpreters.
func Interpreters() []config.Entry {
	role := config.RoleInterpreter
	return []config.Entry{
		config.Declare[none](role, "default", stable()),
		config.Declare[FSInterpreter](role, "io.l5d.fs", stable()),
		config.Declare[ConfigMapInterpreter](role, "io.l5d.k8s.configMap", experimental()),
		config.Declare[ConsulInterpreter](role, "io.l5d.consul.interpreter", stable()),
		config.Declare[NamerdThrift](role, "io.l5d.namerd", stable()),
		config.Declare[NamerdHTTP](role, "io.l5d.namerd.http", experimental()),
		config.Declare[NamerdMesh](role, "io.l5d.mesh", stable()),
		config.Declare[IstioInterpreter](role, "io.l5d.k8s.istio", experimentalIstio()),
	}
}
