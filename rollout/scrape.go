package rollout

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// Scrape is a Meter that asks the proxies themselves, as Prometheus would. It keeps
// what their counters did since it was made, also across their restarts. Requests are
// those that were classified, as success or failure.
//
// Proxies give latencies of the last closed window only, which is a minute long
// unless configured otherwise. A window counts from when it is first seen, so that
// latencies of a step are known after a minute. Those of several windows and proxies
// are put together as the mean of the quantiles, weighted by requests.
//
// Measure fails if fewer proxies than the quorum answer.
type Scrape struct {
	opts    ScrapeOptions
	reading *reading
	proxies []*scraped

	mu   sync.Mutex
	last time.Time
	errs []error // of the last turn, one per proxy
}

// fresh is how young what was read must be not to be read again: Measure is called
// with several windows in a row.
const fresh = 50 * time.Millisecond

// NewScrape returns a Scrape. There is nothing to close.
func NewScrape(o ScrapeOptions) (*Scrape, error) {
	targets, older, newer, service, err := o.check()
	if err != nil {
		return nil, err
	}
	if o.Quorum == 0 {
		o.Quorum = len(targets)/2 + 1
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	s := &Scrape{
		opts: o, errs: make([]error, len(targets)),
		reading: &reading{prefix: o.Prefix, router: o.Router, service: service, branches: [2]*regexp.Regexp{older, newer}},
	}
	for _, t := range targets {
		s.proxies = append(s.proxies, &scraped{url: t})
	}
	return s, nil
}

// Measure implements Meter.
func (s *Scrape) Measure(ctx context.Context, window time.Duration) (older, newer Sample, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.IsZero() || time.Since(s.last) > fresh {
		s.turn(ctx)
	}
	var branches [2]tally
	answered := 0
	for i, p := range s.proxies {
		if s.errs[i] == nil {
			answered++
		} else {
			err = s.errs[i]
		}
		p.add(&branches, s.last.Add(-window))
	}
	if answered < s.opts.Quorum {
		return Sample{}, Sample{}, fmt.Errorf("rollout: %d of %d proxies answer, and %d must: %w", answered, len(s.proxies), s.opts.Quorum, err)
	}
	return branches[0].sample(), branches[1].sample(), nil
}

// turn asks all proxies at the same time.
func (s *Scrape) turn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	var all sync.WaitGroup
	for i, p := range s.proxies {
		all.Go(func() { s.errs[i] = s.ask(ctx, p) })
	}
	all.Wait()
	s.last = time.Now()
}

// largestScrape bounds what a proxy can make this process read.
const largestScrape = 256 << 20

func (s *Scrape) ask(ctx context.Context, p *scraped) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return err
	}
	rsp, err := s.opts.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer rsp.Body.Close() //nolint:errcheck // it was read
	if rsp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", p.url, rsp.Status)
	}
	seen, err := s.reading.read(io.LimitReader(rsp.Body, largestScrape))
	if err != nil {
		return fmt.Errorf("GET %s: %w", p.url, err)
	}
	p.advance(seen, time.Now())
	return nil
}
