package consul

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/weft-mesh/weft/dtab"
)

// Agent says which agent is asked, and how. The zero value is an agent without
// ACLs on this machine.
type Agent struct {
	// Host is a name or an address. Empty is localhost.
	Host string `yaml:"host"`

	// Port is the one of the HTTP API. Zero is 8500.
	Port int `yaml:"port"`

	// Token is the ACL token, sent as X-Consul-Token. Empty sends none.
	Token string `yaml:"token"`

	// FailFast asks an agent that was found to be down nothing at all until the probe
	// has found it again. Without it every name also asks by itself, with back-off.
	FailFast bool `yaml:"failFast"`

	// TLS is the configuration of HTTPS. Nil is HTTP.
	TLS *tls.Config `yaml:"-"`
}

func (a Agent) address() (string, error) {
	if a.Host == "" {
		a.Host = "localhost"
	}
	if a.Port == 0 {
		a.Port = 8500
	}
	if a.Port < 0 || a.Port > 65535 {
		return "", fmt.Errorf("consul: port: %d: want 1 to 65535", a.Port)
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)), nil
}

// Consistency is how up to date the servers' answers have to be.
type Consistency string

// The modes. The empty one is ConsistencyDefault.
const (
	ConsistencyDefault    Consistency = "default"    // the leader answers from its lease
	ConsistencyStale      Consistency = "stale"      // any server answers
	ConsistencyConsistent Consistency = "consistent" // the leader makes sure that it is
)

// errEnum is in the chain of the error of a configuration whose value is none of
// those that there are.
var errEnum = errors.New("no such value")

func (c Consistency) check(key string) error {
	switch c {
	case "", ConsistencyDefault, ConsistencyStale, ConsistencyConsistent:
		return nil
	}
	return fmt.Errorf("consul: %s: %w: %q: want default, stale or consistent", key, errEnum, string(c))
}

// HealthStatus is the state of an instance: that of the worst of its checks.
type HealthStatus string

// The states, from the best to the worst. A node or service that an operator has
// put into maintenance is in Maintenance, and not in Critical as well.
const (
	Passing     HealthStatus = "passing"
	Warning     HealthStatus = "warning"
	Critical    HealthStatus = "critical"
	Maintenance HealthStatus = "maintenance"
)

// TagWeight is the weight of the instances that have a tag.
type TagWeight struct {
	Tag    string  `yaml:"tag"`
	Weight float64 `yaml:"weight"` // 0 takes no traffic
}

// Config is the configuration of the namer. The zero value asks the catalog of the
// agent on this machine.
type Config struct {
	Agent `yaml:",inline"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.consul.
	Prefix dtab.Path `yaml:"-"`

	// IncludeTag makes names /dc/tag/service instead of /dc/service.
	IncludeTag bool `yaml:"includeTag"`

	// UseHealthCheck takes only instances whose health is one of HealthStatuses, by
	// default Passing. Without it health is not looked at.
	UseHealthCheck bool           `yaml:"useHealthCheck"`
	HealthStatuses []HealthStatus `yaml:"healthStatuses"`

	// SetHost gives the sets an authority, the name of the service in Consul's DNS,
	// which HTTP requests then have as their Host.
	SetHost bool `yaml:"setHost"`

	ConsistencyMode Consistency `yaml:"consistencyMode"`

	// PreferServiceAddress takes the address of a service that has one instead of
	// that of its node. Nil is true.
	PreferServiceAddress *bool `yaml:"preferServiceAddress"`

	// Weights gives an instance the largest of the weights of its tags, and 1 if it
	// has none of these.
	Weights []TagWeight `yaml:"weights"`

	// TransferMetadata gives endpoints the metadata of their nodes, and sets that of
	// the service of the first instance.
	TransferMetadata bool `yaml:"transferMetadata"`
}

func (c Config) check() error {
	if err := c.ConsistencyMode.check("consistencyMode"); err != nil {
		return err
	}
	for _, s := range c.HealthStatuses {
		if !s.valid() {
			return fmt.Errorf("consul: healthStatuses: %w: %q: want passing, warning, critical or maintenance", errEnum, string(s))
		}
	}
	for _, w := range c.Weights {
		if !(w.Weight >= 0) { // not a number, too
			return fmt.Errorf("consul: weights: tag %q: weight %v: want a number that is not negative", w.Tag, w.Weight)
		}
	}
	return nil
}

func (s HealthStatus) valid() bool {
	switch s {
	case Passing, Warning, Critical, Maintenance:
		return true
	}
	return false
}
