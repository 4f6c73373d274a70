package zk

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Config is the configuration of a namer.
type Config struct {
	// Addrs are the servers of the ensemble, host or host:port; the port is 2181 if
	// there is none. Required, but by the namers that have the servers in the name.
	Addrs []string `yaml:"-"`

	// SessionTimeout is how long the servers keep a session that they do not hear of.
	// The servers have bounds of their own for it. Zero is 10 s.
	SessionTimeout time.Duration `yaml:"-"`

	// Auth are credentials of the scheme digest, user:password. Empty is none.
	Auth string `yaml:"-"`

	// TLS, if set, is spoken with the servers. A server name is filled in.
	TLS *tls.Config `yaml:"-"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is the default of the kind.
	Prefix dtab.Path `yaml:"-"`
}

// CuratorConfig is the configuration of a Curator.
type CuratorConfig struct {
	Config

	// BasePath is the znode whose children are the services. Empty is /.
	BasePath string `yaml:"basePath"`
}

// AnnouncerConfig is the configuration of an Announcer.
type AnnouncerConfig struct {
	Config

	// PathPrefix is the znode below which names are announced. The empty path is
	// /discovery.
	PathPrefix dtab.Path `yaml:"pathPrefix"`
}

const (
	defaultPort    = "2181"
	defaultTimeout = 10 * time.Second
)

// ErrNoServers is in the chain of the error of a configuration without servers.
var ErrNoServers = errors.New("zkAddrs: give at least one server as host:port")

// sessionKey tells sessions apart.
type sessionKey struct {
	addrs   string // normalised and sorted, with commas
	timeout time.Duration
	auth    string
	tls     *tls.Config
}

// session returns what the configuration says of the session.
func (c Config) session() (sessionKey, error) {
	key := sessionKey{timeout: c.SessionTimeout, auth: c.Auth, tls: c.TLS}
	if key.timeout == 0 {
		key.timeout = defaultTimeout
	}
	if key.timeout < time.Millisecond {
		return key, fmt.Errorf("zk: session timeout: is %v, must be at least 1ms", key.timeout)
	}
	if user, _, ok := strings.Cut(c.Auth, ":"); c.Auth != "" && (!ok || user == "") {
		return key, errors.New("zk: auth: must be user:password")
	}
	if len(c.Addrs) == 0 {
		return key, fmt.Errorf("zk: %w", ErrNoServers)
	}
	addrs := make([]string, len(c.Addrs))
	for i, a := range c.Addrs {
		var err error
		if addrs[i], err = serverAddr(a); err != nil {
			return key, err
		}
	}
	slices.Sort(addrs)
	key.addrs = strings.Join(slices.Compact(addrs), ",")
	return key, nil
}

// serverAddr returns the address of a server with its port.
func serverAddr(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil { // no port, if it is anything
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), defaultPort
		if strings.Contains(host, ":") != strings.HasPrefix(s, "[") {
			host = ""
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, ", /") {
		return "", fmt.Errorf("zk: zkAddrs: %q is not host:port with a port from 1 to 65535", s)
	}
	return net.JoinHostPort(host, port), nil
}

// withPrefix returns the prefix, or else the default of the kind.
func withPrefix(p dtab.Path, def string) dtab.Path {
	if p.IsEmpty() {
		return dtab.MustPath(def)
	}
	return p
}
