package client

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// Client asks a namerd, or one of several that have the same store. It is safe for
// concurrent use. Close it.
type Client struct {
	*shared
	note namerd.Note
}

// shared is what the clients of one New have in common, whatever their notes.
type shared struct {
	opts  Options
	http  *http.Client
	own   *http.Transport // nil if the owner brought the client
	bases []*url.URL
	good  atomic.Int32 // the base that answered last

	dtabs *naming.Shared[watched, namerd.Stored]
	lists *naming.Shared[everything, []string]
}

// connectTimeout is how long one namerd may take to take a connection, so that there
// is time left for the next one.
const connectTimeout = 4 * time.Second

// New returns a client of the namerd at base, such as http://namerd:4180. A path in
// it is kept as a prefix. Several, separated by commas, are tried in turn when one
// cannot be reached: for reads, and for writes of which nothing was sent yet.
func New(base string, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &shared{opts: o}
	if s.bases, err = parseBases(base); err != nil {
		return nil, err
	}
	if o.HTTP != nil {
		h := *o.HTTP
		s.http = &h
	} else {
		s.own = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSClientConfig:     o.TLS,
			TLSHandshakeTimeout: connectTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 4,
			IdleConnTimeout:     time.Minute,
		}
		s.http = &http.Client{Transport: s.own}
	}
	if s.http.CheckRedirect == nil {
		s.http.CheckRedirect = checkRedirect
	}
	c := &Client{shared: s, note: o.Note}
	restarts := naming.SharedOptions{MaxBackoff: 5 * time.Second, Logger: o.Logger}
	s.dtabs = naming.NewShared(naming.WatchFunc[watched, namerd.Stored](c.watchDtab), restarts)
	s.lists = naming.NewShared(naming.WatchFunc[everything, []string](c.watchList), restarts)
	return c, nil
}

func parseBases(text string) ([]*url.URL, error) {
	var all []*url.URL
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		u, err := url.Parse(one)
		switch {
		case err != nil:
			return nil, fmt.Errorf("invalid base URL: %w", err)
		case u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return nil, fmt.Errorf("invalid base URL: %s: want http://HOST:PORT or https://HOST:PORT", one)
		case u.RawQuery != "" || u.Fragment != "":
			return nil, fmt.Errorf("invalid base URL: %s: must not have a query or a fragment", one)
		}
		all = append(all, u)
	}
	if len(all) == 0 {
		return nil, errors.New("empty base URL")
	}
	return all, nil
}

// checkRedirect lets reads be redirected, and writes only where they stay what they
// are.
func checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 10:
		return errors.New("stopped after 10 redirects")
	case req.Method != via[0].Method:
		return http.ErrUseLastResponse
	}
	return nil
}

// WithNote returns a client that notes n with its writes. It shares everything else
// with c, and is closed with it.
func (c *Client) WithNote(n namerd.Note) *Client { return &Client{shared: c.shared, note: n} }

// Watches implements naming.Reporter.
func (c *Client) Watches() []naming.WatchStatus {
	return slices.Concat(c.lists.Watches(), c.dtabs.Watches())
}

// Close ends the watches and waits for them.
func (c *Client) Close() error {
	err := errors.Join(c.dtabs.Close(), c.lists.Close())
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return err
}
