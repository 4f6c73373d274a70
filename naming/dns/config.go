package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Config is the configuration of a Namer. The zero value is the default.
type Config struct {
	// Hosts are the DNS servers, as host or host:port; the port is 53 otherwise. Empty
	// means those of /etc/resolv.conf.
	Hosts []string `yaml:"dnsHosts"`

	// MinTTL and MaxTTL bound how long an answer is held to be true, whatever its TTL
	// says. Zero is 1 s and 5 min.
	MinTTL time.Duration `yaml:"minTtl"`
	MaxTTL time.Duration `yaml:"maxTtl"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/dns.
	Prefix dtab.Path `yaml:"-"`
}

// SRVConfig is the configuration of an SRVNamer. The zero value is the default.
type SRVConfig struct {
	// RefreshInterval is the time between two questions about one name. Zero is 5 s.
	RefreshInterval time.Duration `yaml:"refreshInterval"`

	// Hosts are the DNS servers, as host or host:port; the port is 53 otherwise. Empty
	// means those of /etc/resolv.conf.
	Hosts []string `yaml:"dnsHosts"`

	// IgnoreWeights takes all targets alike, whatever their priority and weight, as
	// Linkerd did.
	IgnoreWeights bool `yaml:"ignoreWeights"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.dnssrv.
	Prefix dtab.Path `yaml:"-"`
}

func (c Config) withDefaults() (Config, error) {
	if c.MinTTL < 0 || c.MaxTTL < 0 {
		return c, errors.New("dns: minTtl and maxTtl: must not be negative")
	}
	if c.MinTTL == 0 {
		c.MinTTL = time.Second
	}
	if c.MaxTTL == 0 {
		c.MaxTTL = max(5*time.Minute, c.MinTTL)
	}
	if c.MaxTTL < c.MinTTL {
		return c, fmt.Errorf("dns: maxTtl: is %v, must not be less than minTtl, which is %v", c.MaxTTL, c.MinTTL)
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/dns")
	}
	return c, nil
}

func (c SRVConfig) withDefaults() (SRVConfig, error) {
	if c.RefreshInterval < 0 {
		return c, errors.New("dns: refreshInterval: must not be negative")
	}
	if c.RefreshInterval == 0 {
		c.RefreshInterval = 5 * time.Second
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.dnssrv")
	}
	return c, nil
}

// serverAddrs returns host:port of the servers of a configuration.
func serverAddrs(hosts []string) ([]string, error) {
	addrs := make([]string, len(hosts))
	for i, h := range hosts {
		bare := strings.TrimSuffix(strings.TrimPrefix(h, "["), "]")
		if _, err := netip.ParseAddr(bare); err == nil {
			addrs[i] = net.JoinHostPort(bare, "53")
			continue
		}
		host, port := h, "53"
		if strings.Contains(h, ":") {
			var err error
			if host, port, err = net.SplitHostPort(h); err != nil {
				return nil, fmt.Errorf("dns: dnsHosts: %q: must be host or host:port", h)
			}
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" {
			return nil, fmt.Errorf("dns: dnsHosts: %q: must be host or host:port, with a port from 1 to 65535", h)
		}
		addrs[i] = net.JoinHostPort(host, port)
	}
	return addrs, nil
}
