package k8s

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/weft-mesh/weft/naming"
)

const (
	// pingAfter and pingTimeout find a connection that is dead and does not say so:
	// after the former without a frame the server is asked for a sign of life, for which
	// it has the latter.
	pingAfter   = time.Second
	pingTimeout = 3 * time.Second
)

// Client is a connection to the API server of one cluster, and the watches that its
// users share. It is safe for concurrent use. Close it.
//
// It makes the transport from client-go's configuration and speaks JSON over it
// itself: client-go's own client would log to standard error, delay watches by its
// rate limit, drop a whole list for one object that it cannot read, and bring every
// API of Kubernetes into the binary.
type Client struct {
	opts   Options
	config *rest.Config
	base   *url.URL
	logger *slog.Logger

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	dials  attempts

	mu      sync.Mutex
	http    *http.Client
	trouble map[string]int // how many watches have it, by class

	stores atomic.Uint64 // numbers them

	slices       *kind[slice]
	endpoints    *kind[slice]
	services     *kind[service]
	configMaps   *kind[configMap]
	ingresses    *kind[Ingress]
	classes      *kind[IngressClass]
	certificates *kind[certificate]
}

// NewClient returns a Client. It connects when something is watched.
func NewClient(a Access, o Options) (*Client, error) {
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	config, err := surroundings{getenv: getenv, serviceAccount: serviceAccountDir}.config(a)
	if err != nil {
		return nil, err
	}
	return newClient(config, o)
}

func newClient(config *rest.Config, o Options) (*Client, error) {
	host := config.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	base, err := url.Parse(host)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("k8s: %q is not the URL of an API server, such as https://10.0.0.1:6443", config.Host)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	c := &Client{opts: o, config: config, base: base, logger: o.logger(), trouble: map[string]int{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.http, err = c.transport(); err != nil {
		c.cancel()
		return nil, fmt.Errorf("k8s: %w", err)
	}
	c.slices, c.endpoints, c.services = newSlices(c), newEndpoints(c), newServices(c)
	c.configMaps, c.ingresses, c.classes, c.certificates = newConfigMaps(c), newIngressKind(c), newClasses(c), newSecrets(c)
	return c, nil
}

// clientOf returns the client of a Config's user, and how that lets go of it.
func clientOf(a Access, o Options) (c *Client, done func() error, err error) {
	if o.Client != nil {
		return o.Client, func() error { return nil }, nil
	}
	if c, err = NewClient(a, o); err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
}

// Watches implements naming.Reporter: one watch for each namespace and kind.
func (c *Client) Watches() []naming.WatchStatus {
	return slices.Concat(c.certificates.Watches(), c.configMaps.Watches(), c.endpoints.Watches(), c.slices.Watches(),
		c.classes.Watches(), c.ingresses.Watches(), c.services.Watches())
}

// Close ends all watches and waits for them.
func (c *Client) Close() error {
	c.cancel()
	err := errors.Join(c.slices.Close(), c.endpoints.Close(), c.services.Close(), c.configMaps.Close(),
		c.ingresses.Close(), c.classes.Close(), c.certificates.Close())
	c.dials.end()
	c.client().CloseIdleConnections()
	return err
}

// transport makes the http.Client that client-go would make, but for how it dials,
// notices dead connections and reads token files.
func (c *Client) transport() (*http.Client, error) {
	config := rest.CopyConfig(c.config)
	tokens := config.BearerTokenFile
	if tokens != "" {
		config.BearerToken, config.BearerTokenFile = "", ""
	}
	tc, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secure, err := transport.TLSConfigFor(tc)
	if err != nil {
		return nil, err
	}
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	secure.NextProtos = []string{"h2", "http/1.1"}
	proxy := tc.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	var rt http.RoundTripper = &http.Transport{
		Proxy:               proxy,
		TLSClientConfig:     secure,
		DialContext:         (&dialer{ctx: c.ctx, attempts: &c.dials}).dial,
		DialTLSContext:      (&dialer{ctx: c.ctx, attempts: &c.dials, tls: secure}).dial,
		TLSHandshakeTimeout: dialTimeout,
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		IdleConnTimeout:     time.Minute,
		DisableCompression:  tc.DisableCompression,
	}
	if tokens != "" {
		rt = tokenFile{path: tokens, base: rt}
	}
	if tc.UserAgent == "" {
		tc.UserAgent = "weft"
	}
	if rt, err = transport.HTTPWrappersForConfig(tc, rt); err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt}, nil
}

func (c *Client) client() *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.http
}

// distrust has the CA's file read again: the server's certificate was not signed by
// what was in it.
func (c *Client) distrust() {
	fresh, err := c.transport()
	if err != nil {
		return // what is there now cannot be better
	}
	c.mu.Lock()
	old := c.http
	c.http = fresh
	c.mu.Unlock()
	old.CloseIdleConnections()
}

// get asks for a path and returns the body of the answer.
func (c *Client) get(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	u := *c.base
	u.Path += path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("k8s: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.client().Do(req)
	if err != nil {
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && c.config.CAFile != "" {
			c.distrust()
		}
		return nil, fmt.Errorf("k8s: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close() //nolint:errcheck // it has been read
		return nil, statusOf(path, resp)
	}
	return resp.Body, nil
}

// complain says what is wrong with a watch, unless others have said it of theirs.
// What is forbidden or missing is a matter of one watch.
func (c *Client) complain(what, class string, err error) {
	key := class
	if unavailable(err) {
		key = what + " " + class
	}
	c.mu.Lock()
	c.trouble[key]++
	first := c.trouble[key] == 1
	c.mu.Unlock()
	level := slog.LevelDebug
	if first {
		level = slog.LevelWarn
	}
	c.logger.Log(c.ctx, level, "the API server cannot be watched, will go on trying", "watch", what, "err", err)
}

// relieve takes back complain.
func (c *Client) relieve(what, class string, err error) {
	key := class
	if unavailable(err) {
		key = what + " " + class
	}
	c.mu.Lock()
	c.trouble[key]--
	last := c.trouble[key] == 0
	if last {
		delete(c.trouble, key)
	}
	c.mu.Unlock()
	level := slog.LevelDebug
	if last {
		level = slog.LevelInfo
	}
	c.logger.Log(c.ctx, level, "the API server is watched again", "watch", what)
}
