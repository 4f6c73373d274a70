package kinds

import (
	"fmt"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
)

// InMemoryStorage is the configuration of io.l5d.inMemory.
type InMemoryStorage struct {
	Namespaces map[string]dtab.Dtab `yaml:"namespaces"`
}

// FileStorage is the configuration of io.weft.file, which the original does not have.
type FileStorage struct {
	Path string `yaml:"path" weft:"required,nonempty"`
}

// EtcdStorage is the configuration of io.l5d.etcd. The original has one host;
// endpoints and the credentials are weft's.
type EtcdStorage struct {
	Host       string            `yaml:"host"`             // localhost
	Port       *int              `yaml:"port" weft:"port"` // 2379
	Endpoints  []string          `yaml:"endpoints"`        // host:port each, instead of host and port
	PathPrefix *dtab.Path        `yaml:"pathPrefix"`       // /namerd/dtabs
	Username   string            `yaml:"username"`
	Password   string            `yaml:"password" weft:"secret"`
	TLS        *config.ClientTLS `yaml:"tls"`
}

// Validate implements the decoder's rules.
func (c *EtcdStorage) Validate() error {
	return all(checkTLS(c.TLS), errIf(c.Endpoints != nil && (c.Host != "" || c.Port != nil), "endpoints",
		"set endpoints, or host and port, not both"))
}

// ConsulStorage is the configuration of io.l5d.consul.
type ConsulStorage struct {
	Host                 string            `yaml:"host"`             // localhost
	Port                 *int              `yaml:"port" weft:"port"` // 8500
	PathPrefix           *dtab.Path        `yaml:"pathPrefix"`       // /namerd/dtabs
	Token                string            `yaml:"token" weft:"secret"`
	Datacenter           string            `yaml:"datacenter"`
	ReadConsistencyMode  string            `yaml:"readConsistencyMode" weft:"enum=default|stale|consistent"`
	WriteConsistencyMode string            `yaml:"writeConsistencyMode" weft:"enum=default|stale|consistent"`
	FailFast             bool              `yaml:"failFast"`
	Backoff              *config.Part      `yaml:"backoff" weft:"role=backoff"` // jittered 1 ms to 1 min
	TLS                  *config.ClientTLS `yaml:"tls"`
}

// StoragePage is where the original shows its state.
func (c ConsulStorage) StoragePage() string {
	prefix := "/namerd/dtabs"
	if c.PathPrefix != nil {
		prefix = c.PathPrefix.String()
	}
	return "/storage" + prefix + ".json"
}

// Validate implements the decoder's rules.
func (c ConsulStorage) Validate() error { return checkTLS(c.TLS) }

// ZkStorage is the configuration of io.l5d.zk.
type ZkStorage struct {
	ZkAddrs        []ZkAddr       `yaml:"zkAddrs" weft:"required,nonempty"`
	PathPrefix     *dtab.Path     `yaml:"pathPrefix"`                            // /dtabs
	SessionTimeout *time.Duration `yaml:"sessionTimeoutMs" weft:"unit=ms,min=1"` // 10 s
	AuthInfo       *ZkAuth        `yaml:"authInfo"`
	ACLs           []ZkACL        `yaml:"acls"` // world, anyone, crwda
}

// ZkAuth is who a client of ZooKeeper is.
type ZkAuth struct {
	Scheme string `yaml:"scheme" weft:"required,nonempty"`
	Auth   string `yaml:"auth" weft:"required,secret"`
}

// ZkACL is what somebody may do with what is stored.
type ZkACL struct {
	Scheme string `yaml:"scheme" weft:"required,nonempty"`
	ID     string `yaml:"id"`
	Perms  string `yaml:"perms" weft:"required"` // letters of crwda
}

// Validate implements the decoder's rules.
func (c *ZkACL) Validate() error {
	for i, letter := range c.Perms {
		switch {
		case !strings.ContainsRune("crwda", letter):
			return keyError{"perms", fmt.Sprintf("Illegal permission %q in %q: the letters are c (create), r (read), w (write), d (delete), a (admin)", letter, c.Perms)}
		case strings.ContainsRune(c.Perms[:i], letter):
			return keyError{"perms", fmt.Sprintf("Duplicate permission %q in %q", letter, c.Perms)}
		}
	}
	return nil
}

// K8sStorage is the configuration of io.l5d.k8s.
type K8sStorage struct {
	K8sAPI    `yaml:",inline"`
	Namespace string `yaml:"namespace"` // default
}

// StoragePage is where the original shows its state.
func (K8sStorage) StoragePage() string { return "/storage/dtabs.json" }

// Storages returns the declarations of the stores of dtabs.
func Storages() []config.Entry {
	role := config.RoleStorage
	return []config.Entry{
		config.Declare[InMemoryStorage](role, "io.l5d.inMemory", stable()),
		config.Declare[FileStorage](role, "io.weft.file", stable()),
		config.Declare[EtcdStorage](role, "io.l5d.etcd", experimental()),
		config.Declare[ConsulStorage](role, "io.l5d.consul", stable()),
		config.Declare[ZkStorage](role, "io.l5d.zk", stable()),
		config.Declare[K8sStorage](role, "io.l5d.k8s", stable()),
	}
}
