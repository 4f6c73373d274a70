package consul

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	probeEvery   = time.Second            // while nothing else is heard of the agent
	probeAgain   = 250 * time.Millisecond // while it is down
	probeTimeout = 2500 * time.Millisecond
)

var (
	// errSilent ends the queries that wait for an agent that is not there any more.
	errSilent = errors.New("the agent does not answer, or has no leader")

	// errAgain ends queries that are to be asked again at once, on other terms.
	errAgain = errors.New("to be asked again")

	// errRestored ends queries for an index that the servers were set back from.
	errRestored = errors.New("the servers were set back")
)

// pulse knows whether the agent is there. A query that blocks looks the same as a
// connection that leads nowhere; and of an agent that comes back, each watch by
// itself would learn late, at the end of its back-off. So one goroutine probes, as
// long as anybody uses the client, and tells all. It is safe for concurrent use.
type pulse struct {
	c         *client
	leader    bool            // an agent without a leader is as good as down
	transport *http.Transport // its own: a probe must not meet old connections
	http      *http.Client

	wg   sync.WaitGroup
	kick chan struct{}

	mu        sync.Mutex
	users     int
	stop      context.CancelFunc
	lastHeard time.Time
	down      bool
	turned    time.Time     // when that changed last
	recovered chan struct{} // closed when the agent is back
	flights   map[*flight]struct{}
	epoch     uint64 // counts how often the servers were set back
}

// flight is a query that is under way.
type flight struct {
	cancel context.CancelCauseFunc
	began  time.Time
}

func newPulse(c *client, leader bool) *pulse {
	t := newTransport(c.agent)
	t.MaxIdleConnsPerHost = 1
	return &pulse{
		c: c, leader: leader, transport: t, http: newHTTPClient(t), kick: make(chan struct{}, 1),
		recovered: make(chan struct{}), flights: map[*flight]struct{}{},
	}
}

// join starts the probe for the first user, and returns how to leave.
func (p *pulse) join() (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users++
	if p.users == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		p.stop = cancel
		p.lastHeard, p.down = time.Now(), false
		p.wg.Go(func() { p.run(ctx) })
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.users--; p.users == 0 {
			p.stop()
		}
	}
}

// close waits for the probe, whose users have left.
func (p *pulse) close() {
	p.wg.Wait()
	p.transport.CloseIdleConnections()
}

// heard notes a sign of life.
func (p *pulse) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastHeard = time.Now()
}

// suspect has the agent probed now, because a query has failed.
func (p *pulse) suspect() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// state returns whether the agent is down and what is closed once it is back.
func (p *pulse) state() (down bool, recovered <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down, p.recovered
}

// track makes a query one that the pulse may end. An index from an earlier epoch
// must not be waited for.
func (p *pulse) track(ctx context.Context) (_ context.Context, epoch uint64, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	f := &flight{cancel: cancel, began: time.Now()}
	p.mu.Lock()
	p.flights[f] = struct{}{}
	epoch = p.epoch
	p.mu.Unlock()
	return ctx, epoch, func() {
		p.mu.Lock()
		delete(p.flights, f)
		p.mu.Unlock()
		cancel(nil)
	}
}

// askAgain ends all queries, to be asked again.
func (p *pulse) askAgain() { p.end(errAgain, time.Now()) }

// setBack begins a new epoch: the servers have gone back to an earlier state.
func (p *pulse) setBack() {
	p.mu.Lock()
	p.epoch++
	p.mu.Unlock()
	p.end(errRestored, time.Now())
}

// end ends the queries that began before t.
func (p *pulse) end(why error, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for f := range p.flights {
		if f.began.Before(t) {
			f.cancel(why)
		}
	}
}

// finding is what a probe has found, and when it began.
type finding struct {
	alive bool
	began time.Time
}

// run is the probe's goroutine.
func (p *pulse) run(ctx context.Context) {
	findings := make(chan finding)
	under := 0 // probes under way
	defer func() {
		for ; under > 0; under-- {
			<-findings
		}
	}()
	ask := func(leader bool) {
		under++
		began := time.Now()
		p.wg.Go(func() { findings <- finding{p.probe(ctx, leader && p.leader), began} })
	}
	t := time.NewTimer(probeEvery)
	defer t.Stop()
	for {
		down, _ := p.state()
		select {
		case <-ctx.Done():
			return
		case f := <-findings:
			under--
			if ctx.Err() == nil && p.take(f) {
				t.Reset(p.interval())
			}
			continue
		case <-p.kick:
			// The agent is there, in a way, if it has refused: can it answer, too?
			if under == 0 {
				ask(true)
			}
			continue
		case <-t.C:
		}
		switch {
		case down && under < maxProbes:
			ask(true)
		case !down && under == 0 && p.quiet():
			ask(false)
		}
		t.Reset(p.interval())
	}
}

// maxProbes is how many probes may be under way. While the agent is down they
// overlap, so that it is found soon after it is back.
const maxProbes = 8

func (p *pulse) interval() time.Duration {
	if down, _ := p.state(); down {
		return probeAgain
	}
	return probeEvery
}

// quiet reports whether nothing was heard for a while.
func (p *pulse) quiet() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.lastHeard) >= probeEvery
}

// take notes what a probe has found, and reports whether the agent went away or
// came back. A failure says nothing if it is older than the last such change, or
// than an answer to a query: an agent that is slow to answer a probe, but does answer
// queries, is busy, and to ask it everything again would not help it.
func (p *pulse) take(f finding) bool {
	p.mu.Lock()
	if !f.alive && (f.began.Before(p.turned) || f.began.Before(p.lastHeard)) {
		p.mu.Unlock()
		return false
	}
	turns := f.alive == p.down
	if turns {
		p.down, p.turned = !f.alive, time.Now()
	}
	if turns && f.alive {
		close(p.recovered)
		p.recovered = make(chan struct{})
	}
	p.mu.Unlock()
	if turns {
		// Idle connections are older than what has just happened.
		p.c.transport.CloseIdleConnections()
	}
	switch {
	case !f.alive:
		// Also of an agent that was down already: a query may have found it back and
		// lost it again between two probes, and nothing else would end the next one.
		p.end(errSilent, f.began)
	case turns:
		p.end(errAgain, time.Now()) // what is under way may have got lost while the agent was down
	}
	return turns
}

// probe asks once, and reports whether the agent is there and, if that is wanted,
// has a leader to ask. Any answer will do for the former, and the one to / costs
// the agent nothing and no server anything.
func (p *pulse) probe(ctx context.Context, leader bool) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	path := "/"
	if leader {
		path = "/v1/status/leader"
	}
	req, err := p.c.request(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return false
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReason))
	if !leader {
		return err == nil
	}
	return err == nil && resp.StatusCode < http.StatusInternalServerError && strings.TrimSpace(string(text)) != `""`
}
