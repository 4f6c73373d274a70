package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Rules names requests by the ingresses of a cluster. HTTP and H2 return it as the
// identifiers of routers. It is safe for concurrent use. Close it.
type Rules struct {
	cfg    Config
	logger *slog.Logger
	src    Source
	cancel context.CancelFunc
	done   chan struct{}

	now   atomic.Pointer[matcher] // nil before the first table
	why   atomic.Pointer[error]   // why there is none
	first chan struct{}           // closed when there is one
}

// New returns rules that follow src. It does not wait for the first table.
func New(c Config, src Source, o Options) (*Rules, error) {
	if src == nil {
		return nil, errors.New("ingress: there is no source of ingresses")
	}
	if c.Prefix.IsEmpty() {
		c.Prefix = meshhttp.DefaultPrefix()
	}
	if c.Class == "" {
		c.Class = "linkerd"
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Rules{cfg: c, logger: o.Logger, src: src, cancel: cancel, done: make(chan struct{}), first: make(chan struct{})}
	go r.run(ctx)
	return r, nil
}

// run compiles the tables, so that no request does.
func (r *Rules) run(ctx context.Context) {
	defer close(r.done)
	said := map[string]bool{}
	for {
		s, stale := r.src.Load()
		switch old := r.now.Load(); {
		case s.Known:
			m, problems := newMatcher(r.cfg, s.Value, old)
			r.now.Store(m)
			if old == nil {
				close(r.first)
			}
			said = r.report(problems, said)
		case s.Err != nil:
			r.why.Store(&s.Err)
		}
		if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
			return
		}
	}
}

// report logs rules that cannot match, once for each version of an ingress, and
// returns what was logged and still holds.
func (r *Rules) report(problems []problem, said map[string]bool) map[string]bool {
	now := map[string]bool{}
	for _, p := range problems {
		key := p.ingress.Namespace + "/" + p.ingress.Name + " " + p.ingress.Version + " " + p.text
		if now[key] = true; !said[key] {
			r.logger.Warn("rule of an ingress left out",
				"ingress", p.ingress.Namespace+"/"+p.ingress.Name, "version", p.ingress.Version, "problem", p.text)
		}
	}
	return now
}

// notYet is the error of requests before the first table.
func (r *Rules) notYet() error {
	reason := errors.New("there is no list of ingresses yet")
	if why := r.why.Load(); why != nil {
		reason = fmt.Errorf("%w: %w", reason, *why)
	}
	return &meshhttp.NotReadyError{Err: reason}
}

// wait returns the rules, waiting for the first ones.
func (r *Rules) wait(ctx context.Context) (*matcher, error) {
	if m := r.now.Load(); m != nil {
		return m, nil
	}
	if r.cfg.Timeout < 0 {
		return nil, r.notYet()
	}
	t := time.NewTimer(r.cfg.Timeout)
	defer t.Stop()
	select {
	case <-r.first:
		return r.now.Load(), nil
	case <-t.C:
	case <-r.done:
	case <-ctx.Done():
		return nil, &meshhttp.NotReadyError{Err: fmt.Errorf("%w: %w", r.notYet(), context.Cause(ctx))}
	}
	return nil, r.notYet()
}

func (m *matcher) name(authority, path string) (dtab.Path, error) {
	p, ok := m.match(hostOf(authority), path)
	if !ok {
		return dtab.Path{}, &meshhttp.Unidentified{Reason: "no ingress rule matches"}
	}
	return p, nil
}

// Watches implements naming.Reporter if the source does.
func (r *Rules) Watches() []naming.WatchStatus {
	if w, ok := r.src.(naming.Reporter); ok {
		return w.Watches()
	}
	return nil
}

// Close ends the rules and closes their source. What they were last stays in force.
func (r *Rules) Close() error {
	r.cancel()
	<-r.done
	if c, ok := r.src.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
