package etcd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Config is the configuration of the namer.
type Config struct {
	// Endpoints are the members of the cluster, as host:port or
	// http(s)://host:port. At least one is required. Requests go to all of them in turn.
	Endpoints []string `yaml:"endpoints"`

	// Username and Password are for clusters with authentication. Empty means none.
	Username string `yaml:"username"`
	Password string `yaml:"password"`

	// TLS encrypts the connection. Endpoints without a scheme use it; nil is plain
	// text for them and for http, and the system's roots for https.
	TLS *tls.Config `yaml:"-"`

	// PathPrefix is what the keys of services begin with: the instances of web are
	// <PathPrefix>/web/…. Empty is /weft/services. A leading slash is part of the
	// keys, a slash at the end is not needed. "/" is for keys like /web/…, and "."
	// for keys like web/….
	PathPrefix string `yaml:"pathPrefix"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.etcd.
	Prefix dtab.Path `yaml:"-"`
}

// check returns what is wrong with c.
func (c Config) check() error {
	if len(c.Endpoints) == 0 {
		return errors.New("etcd: endpoints: at least one is required, such as http://127.0.0.1:2379")
	}
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

func checkEndpoint(e string) error {
	host := e
	if strings.Contains(e, "://") {
		u, err := url.Parse(e)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
			return errors.New("must be host:port, http://host:port or https://host:port")
		}
		host = u.Host
	}
	if _, _, err := splitAddr(host); err != nil {
		return err
	}
	return nil
}

// keys returns what the keys of all services begin with: empty, or something with
// a slash at its end.
func (c Config) keys() string {
	switch c.PathPrefix {
	case "":
		return "/weft/services/"
	case ".":
		return ""
	default:
		return strings.TrimRight(c.PathPrefix, "/") + "/"
	}
}
