package etcd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Config says where the dtabs are. The zero value is /namerd/dtabs of the etcd on this
// machine.
type Config struct {
	// Endpoints are the members of the cluster, as host:port or http(s)://host:port.
	// None is localhost:2379. Requests go to all that can be reached, in turn.
	Endpoints []string

	// PathPrefix is what the keys of dtabs begin with. Empty is /namerd/dtabs.
	PathPrefix dtab.Path

	// TLS encrypts the connections to endpoints without a scheme and with https. Nil is
	// plain text for the former, and the system's roots for the latter.
	TLS *tls.Config

	// Username and Password are for clusters with authentication. Empty means none.
	Username, Password string
}

func (c Config) withDefaults() Config {
	if len(c.Endpoints) == 0 {
		c.Endpoints = []string{"localhost:2379"}
	}
	if c.PathPrefix.IsEmpty() {
		c.PathPrefix = dtab.MustPath("/namerd/dtabs")
	}
	return c
}

// check returns what is wrong with c.
func (c Config) check() error {
	for _, e := range c.Endpoints {
		if err := checkEndpoint(e); err != nil {
			return fmt.Errorf("etcd: endpoints: %q: %w", e, err)
		}
	}
	if (c.Username == "") != (c.Password == "") {
		return errors.New("etcd: username and password: one of them is missing")
	}
	return nil
}

var errEndpoint = errors.New("must be host:port, http://host:port or https://host:port")

func checkEndpoint(e string) error {
	host := e
	if strings.Contains(e, "://") {
		u, err := url.Parse(e)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
			return errEndpoint
		}
		host = u.Host
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil || name == "" {
		return errEndpoint
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("port %q: want 1 to 65535", port)
	}
	return nil
}

// prefixes returns what the keys of dtabs and those of histories begin with, each
// with a slash at its end. Neither is below the other.
func (c Config) prefixes() (dtabs, history string) {
	path := "/" + strings.Join(c.PathPrefix.Strings(), "/")
	if parent, ok := strings.CutSuffix(path, "/dtabs"); ok {
		return path + "/", parent + "/history/"
	}
	return path + "/", path + ".history/"
}
