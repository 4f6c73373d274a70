package marathon

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// leastDelay is the least time between two polls of the same thing, so that a TTL
// of 0 does not occupy a Marathon.
const leastDelay = 20 * time.Millisecond

// Config is the configuration of a Namer. The zero value is the default.
type Config struct {
	// Host is a name or an address, and the Host of every request. Empty is
	// marathon.mesos.
	Host string `yaml:"host"`

	// Port is the one of the API. Zero is 80.
	Port int `yaml:"port"`

	// URIPrefix is what comes before /v2 in the paths of the API, such as /marathon.
	URIPrefix string `yaml:"uriPrefix"`

	// TTL is the time from an answer to the next question, and Jitter by how much at
	// most it is more or less at random. Nil is 5 s and 50 ms; anything below 20 ms is
	// 20 ms.
	TTL    *time.Duration `yaml:"ttl"`
	Jitter *time.Duration `yaml:"jitter"`

	// UseHealthCheck takes only tasks that run and of which at least as many health
	// checks say that they are alive as the app has. Without it every task is taken.
	UseHealthCheck bool `yaml:"useHealthCheck"`

	// BasicAuth is what follows "Basic " in the header Authorization: the value of
	// MARATHON_HTTP_AUTH_CREDENTIAL. Empty sends none.
	BasicAuth string `yaml:"-"`

	// DCOS is the service account of DC/OS as which to log in: the JSON in
	// DCOS_SERVICE_ACCOUNT_CREDENTIAL, with login_endpoint, private_key (PEM), scheme
	// (RS256) and uid. The login is sent to where everything else is sent, with the
	// path of login_endpoint. With it BasicAuth is not used. Empty logs in nowhere.
	DCOS string `yaml:"-"`

	// TLS is the configuration of HTTPS. Nil is HTTP.
	TLS *tls.Config `yaml:"-"`

	// Prefix is the whole prefix of the namer, with which the ids of its names begin.
	// The empty path is /#/io.l5d.marathon.
	Prefix dtab.Path `yaml:"-"`
}

func (c Config) withDefaults() (Config, error) {
	ttl, jitter := 5*time.Second, 50*time.Millisecond
	if c.TTL == nil {
		c.TTL = &ttl
	}
	if c.Jitter == nil {
		c.Jitter = &jitter
	}
	if *c.TTL < 0 || *c.Jitter < 0 {
		return c, errors.New("marathon: ttlMs and jitterMs: must not be negative")
	}
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("marathon: port: %d: want 1 to 65535", c.Port)
	}
	if strings.ContainsFunc(c.BasicAuth, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return c, errors.New("marathon: MARATHON_HTTP_AUTH_CREDENTIAL: has a line end or another control character in it")
	}
	c.Host, c.Port = cmp.Or(c.Host, "marathon.mesos"), cmp.Or(c.Port, 80)
	if c.URIPrefix = strings.Trim(c.URIPrefix, "/"); c.URIPrefix != "" {
		c.URIPrefix = "/" + c.URIPrefix
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = dtab.MustPath("/#/io.l5d.marathon")
	}
	return c, nil
}

// base returns the URL that paths of the API are appended to.
func (c Config) base() (*url.URL, error) {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	text := scheme + "://" + net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) + c.URIPrefix
	u, err := url.Parse(text)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("marathon: host and uriPrefix: %q is not a URL without a query", text)
	}
	return u, nil
}
