package consul

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Config says which agent is asked, how, and where the dtabs are. The zero value is
// namerd/dtabs of the agent on this machine.
type Config struct {
	// Host is a name or an address. Empty is localhost.
	Host string

	// Port is the one of the HTTP API. Zero is 8500.
	Port int

	// PathPrefix is the path of the keys. Empty is /namerd/dtabs.
	PathPrefix dtab.Path

	// Token is the ACL token, sent as X-Consul-Token. Empty sends none.
	Token string

	// Datacenter is whose store is meant. Empty is that of the agent.
	Datacenter string

	// ReadConsistencyMode is how up to date answers to reads and watches have to be: in
	// mode default List, Get and History are consistent reads, and the watch asks for
	// one where an answer is doubtful.
	ReadConsistencyMode Consistency

	// WriteConsistencyMode is sent along with writes, as Linkerd's namerd does. Consul
	// writes only one way; and what writes depend on is always read consistently.
	WriteConsistencyMode Consistency

	// FailFast makes List, Get, History and writes fail at once when the agent does not
	// answer. Without it they try again until Patience ends.
	FailFast bool

	// Backoff is the pause after failures.
	Backoff Backoff

	// TLS is the configuration of HTTPS. Nil is HTTP.
	TLS *tls.Config
}

// Backoff bounds the pause after a failure, which doubles from Min to Max and is
// shortened by a random part of up to a half. If both are equal it is constant. Zero is
// 50 ms and 1.5 s.
type Backoff struct{ Min, Max time.Duration }

// Consistency is how up to date the servers' answers have to be.
type Consistency string

// The modes. The empty one is ConsistencyDefault.
const (
	ConsistencyDefault    Consistency = "default"    // the leader answers from its lease
	ConsistencyStale      Consistency = "stale"      // any server answers
	ConsistencyConsistent Consistency = "consistent" // the leader makes sure that it is
)

func (c Consistency) check(key string) error {
	switch c {
	case "", ConsistencyDefault, ConsistencyStale, ConsistencyConsistent:
		return nil
	}
	return fmt.Errorf("consul: %s: %q: want default, stale or consistent", key, string(c))
}

func (c Config) withDefaults() Config {
	if c.Host == "" {
		c.Host = "localhost"
	}
	if c.Port == 0 {
		c.Port = 8500
	}
	if c.PathPrefix.IsEmpty() {
		c.PathPrefix = dtab.MustPath("/namerd/dtabs")
	}
	if c.Backoff == (Backoff{}) {
		c.Backoff = Backoff{Min: 50 * time.Millisecond, Max: 1500 * time.Millisecond}
	}
	return c
}

// check returns what is wrong with c.
func (c Config) check() error {
	if c.Port < 1 || c.Port > 65535 {
		return fmt.Errorf("consul: port: %d: want 1 to 65535", c.Port)
	}
	if c.Backoff.Min <= 0 || c.Backoff.Max < c.Backoff.Min {
		return fmt.Errorf("consul: backoff: from %v to %v: want both positive, and the second not to be less", c.Backoff.Min, c.Backoff.Max)
	}
	if err := c.ReadConsistencyMode.check("readConsistencyMode"); err != nil {
		return err
	}
	return c.WriteConsistencyMode.check("writeConsistencyMode")
}

// base returns the URL of the agent, and what the Host header has to be.
func (c Config) base() (url, host string) {
	addr := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	host = addr
	if c.Port == 80 || c.Port == 443 {
		host = strings.TrimSuffix(addr, ":"+strconv.Itoa(c.Port))
	}
	return scheme + "://" + addr, host
}

// prefixes returns what the keys of dtabs and those of histories begin with, each
// with a slash at its end. Neither is below the other.
func (c Config) prefixes() (dtabs, history string) {
	path := strings.Join(c.PathPrefix.Strings(), "/")
	if path == "dtabs" {
		return "dtabs/", "history/"
	}
	if parent, ok := strings.CutSuffix(path, "/dtabs"); ok {
		return path + "/", parent + "/history/"
	}
	return path + "/", path + ".history/"
}
