package rancher

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Config is the configuration of a Namer. The zero value is the default.
type Config struct {
	// PortMappings are names for ports, besides http, which is 80, and https, which is
	// 443, unless they are among them.
	PortMappings map[string]int `yaml:"portMappings"`

	// MaxWait is how long the metadata service is asked to wait for a change, in whole
	// seconds. Zero is 30 s.
	MaxWait time.Duration `yaml:"maxWait"`

	// Host and Port are where the metadata service is. Empty is rancher-metadata, and
	// zero 80. Host is also the Host of every request.
	Host string `yaml:"-"`
	Port int    `yaml:"-"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.rancher.
	Prefix dtab.Path `yaml:"-"`
}

func (c Config) withDefaults() (Config, error) {
	ports := map[string]int{"http": 80, "https": 443}
	maps.Copy(ports, c.PortMappings)
	for name, port := range ports {
		if port < 1 || port > 65535 {
			return c, fmt.Errorf("rancher: portMappings: %s: %d: want 1 to 65535", name, port)
		}
	}
	c.PortMappings = ports
	switch {
	case c.MaxWait == 0:
		c.MaxWait = 30 * time.Second
	case c.MaxWait < time.Second:
		return c, fmt.Errorf("rancher: maxWait: %v: want at least 1 s", c.MaxWait)
	}
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("rancher: port: %d: want 1 to 65535", c.Port)
	}
	c.Host, c.Port = cmp.Or(c.Host, "rancher-metadata"), cmp.Or(c.Port, 80)
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.rancher")
	}
	return c, nil
}

// base returns the URL that paths of the metadata are appended to.
func (c Config) base() (string, error) {
	text := "http://" + net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	if u, err := url.Parse(text); err != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("rancher: host: %q: want a name or an address", c.Host)
	}
	return text + "/" + apiVersion, nil
}

// hostHeader is the Host of every request.
func (c Config) hostHeader() string {
	if strings.Contains(c.Host, ":") {
		return "[" + c.Host + "]"
	}
	return c.Host
}

// port returns the port that the first element of a name stands for.
func (c Config) port(text string) (uint16, bool) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return uint16(n), n > 0
	}
	n, ok := c.PortMappings[text]
	return uint16(n), ok //nolint:gosec // withDefaults has checked it
}
