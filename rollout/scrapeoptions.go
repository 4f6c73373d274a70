package rollout

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// ScrapeOptions say which proxies are asked and what of their metrics is which
// branch. Proxies, Old and New are required.
type ScrapeOptions struct {
	// Proxies are the URLs of their admin servers, such as http://10.0.0.7:9990. A
	// path is that of the metrics; without one it is /admin/metrics/prometheus.
	Proxies []string

	// Old and New are the clients of the branches.
	Old, New Clients

	// Router is the label of the only router that counts. Empty is all.
	Router string

	// Service is a regular expression of the names without their first slash, such as
	// svc/world, for which the clients are used, if what they are used for by other
	// names is not to count. Empty is all.
	Service string

	// Prefix is that of the metrics' names, if the proxies have one configured.
	Prefix string

	// Quorum is how many proxies must answer. Zero is more than half of them.
	Quorum int

	// Timeout bounds each request. Zero is 5 s.
	Timeout time.Duration

	// HTTP sends the requests. Nil is http.DefaultClient.
	HTTP *http.Client
}

func (o ScrapeOptions) check() (targets []string, older, newer, service *regexp.Regexp, err error) {
	var errs []error
	if len(o.Proxies) == 0 {
		errs = append(errs, errors.New("rollout: no proxies are given"))
	}
	for _, p := range o.Proxies {
		u, err := url.Parse(p)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("rollout: the proxy's URL: %w", err))
			continue
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			errs = append(errs, fmt.Errorf("rollout: %q is not the URL of a proxy's admin server; want one such as http://127.0.0.1:9990", p))
		}
		if u.Path == "" || u.Path == "/" {
			u.Path = "/admin/metrics/prometheus"
		}
		if u.RawQuery == "" {
			u.RawQuery = "format=linkerd" // which has the counts of windows, as every Linkerd has
		}
		targets = append(targets, u.String())
	}
	if o.Quorum < 0 || o.Quorum > len(o.Proxies) {
		errs = append(errs, fmt.Errorf("rollout: a quorum of %d of %d proxies cannot be had", o.Quorum, len(o.Proxies)))
	}
	older, errOld := o.Old.compile("old")
	newer, errNew := o.New.compile("new")
	if o.Service != "" {
		if service, err = regexp.Compile("^(?:" + o.Service + ")$"); err != nil {
			errs = append(errs, fmt.Errorf("rollout: the service: %w", err))
		}
	}
	return targets, older, newer, service, errors.Join(append(errs, errOld, errNew)...)
}
