package remote

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

const (
	redialMin = 50 * time.Millisecond
	redialMax = time.Second

	// hedge is how long an attempt to connect may hang before another one is made
	// beside it: a peer that swallows packets must not hold up the one that is back.
	hedge = time.Second

	// openTimeout ends an attempt that hangs.
	openTimeout = 5 * time.Second

	// settled is the age from which a session that ends was a good one, so that
	// another is opened at once.
	settled = 2 * time.Second

	// laggardMin and laggardMax bound how long a session whose peer is behind is kept
	// while there are other endpoints. It doubles from the one to the other as long as
	// none of them turns out to be up to date.
	laggardMin = time.Second
	laggardMax = time.Minute
)

// link keeps a Session with one of the endpoints of namerd.
type link struct {
	conf Config
	opts Options
	open Open

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	endpoints weft.Source[naming.State[weft.EndpointSet]]
	redial    backoff
	laggard   backoff
	turn      int
	cur       weft.Var[linkState]
}

// linkState is what is known of the connection. Of session and err at most one is
// set.
type linkState struct {
	session Session
	peer    string
	err     error
	since   time.Time // of the session, or of the outage

	sessions, failures uint64
}

func newLink(c Config, o Options, open Open) *link {
	l := &link{
		conf: c, opts: o, open: open,
		redial:  backoff{base: redialMin, limit: redialMax},
		laggard: backoff{base: laggardMin, limit: laggardMax},
		turn:    rand.IntN(1 << 16), // the proxies of a mesh spread over the endpoints
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.cur.Store(linkState{since: time.Now()})
	l.endpoints = o.Endpoints(l.ctx)
	l.wg.Go(l.run)
	return l
}

func (l *link) close() {
	l.cancel()
	l.wg.Wait()
}

// session returns the session once there is one. note is told meanwhile why there
// is none. The error is the context's cause.
func (l *link) session(ctx context.Context, note func(error)) (Session, error) {
	for {
		st, stale := l.cur.Load()
		switch {
		case st.session == nil && st.err != nil:
			note(st.err)
		case st.session != nil && st.session.Context().Err() == nil:
			return st.session, nil
		case st.session != nil:
			note(context.Cause(st.session.Context()))
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// run is the link's goroutine.
func (l *link) run() {
	var s Session
	var peer string
	for {
		next, addr := l.connect()
		if next == nil {
			if s != nil {
				_ = s.Close()
			}
			return
		}
		l.up(next, addr)
		if s != nil {
			_ = s.Close() // only now, so that an endpoint that goes away is left without a gap
		}
		s, peer = next, addr
		since := time.Now()
		if l.attend(s, peer) {
			continue
		}
		_ = s.Close()
		if l.ctx.Err() != nil {
			return
		}
		l.down(fmt.Errorf("%s: %w", peer, context.Cause(s.Context())))
		s = nil
		if time.Since(since) >= settled {
			l.redial.reset()
		} else {
			pause(l.ctx, l.redial.next())
		}
	}
}

// attend watches over a session until it has ended, and returns false, or until
// there is a reason to open another one, and returns true: its endpoint is not one
// any more while there are others, or it is behind and there are others.
func (l *link) attend(s Session, peer string) (moved bool) {
	ping := time.NewTicker(l.conf.PingEvery)
	defer ping.Stop()
	var late <-chan time.Time
	for {
		st, stale := l.endpoints.Load()
		peers := usable(st)
		if len(peers) > 0 && !slices.ContainsFunc(peers, func(e weft.Endpoint) bool { return e.Addr == peer }) {
			l.opts.Logger.Info("namerd has moved", "from", peer)
			return true
		}
		standing, other := s.Standing().Load()
		switch {
		case standing == Fresh:
			l.laggard.reset()
			late = nil
		case standing == Behind && late == nil:
			late = time.After(l.laggard.next())
		}
		select {
		case <-stale:
		case <-other:
		case <-s.Context().Done():
			return false
		case <-l.ctx.Done():
			return false
		case <-late:
			late = nil
			if len(peers) > 1 {
				l.opts.Logger.Info("namerd is behind, trying another one", "endpoint", peer)
				return true
			}
		case <-ping.C:
			l.ping(s)
		}
	}
}

// ping ends the session if its peer does not answer.
func (l *link) ping(s Session) {
	ctx, cancel := context.WithTimeout(l.ctx, l.conf.PingTimeout)
	defer cancel()
	defer context.AfterFunc(s.Context(), cancel)()
	if s.Ping(ctx) != nil && l.ctx.Err() == nil {
		s.End(fmt.Errorf("no answer to a ping within %s", l.conf.PingTimeout))
	}
}

func (l *link) up(s Session, peer string) {
	l.opts.Logger.Info("connected to namerd", "endpoint", peer)
	st, _ := l.cur.Load()
	l.cur.Store(linkState{session: s, peer: peer, since: time.Now(), sessions: st.sessions + 1, failures: st.failures})
}

// down says why there is no session.
func (l *link) down(err error) {
	st, _ := l.cur.Load()
	next := linkState{err: err, since: st.since, sessions: st.sessions, failures: st.failures + 1}
	if st.err == nil {
		next.since = time.Now()
	}
	if st.err == nil || st.err.Error() != err.Error() {
		l.opts.Logger.Warn("no connection to namerd", "err", err)
	}
	l.cur.Store(next)
}

// status is the connection's line among the watches.
func (l *link) status() naming.WatchStatus {
	st, _ := l.cur.Load()
	w := naming.WatchStatus{Watching: "connection to namerd", Since: st.since, Updates: st.sessions, Failures: st.failures}
	switch {
	case st.session != nil && st.session.Context().Err() == nil:
		w.Known, w.Answer, w.Updated = true, "connected to "+st.peer, st.since
	case st.session != nil:
		w.Err, w.ErrSince = context.Cause(st.session.Context()), time.Now()
	case st.err != nil:
		w.Err, w.ErrSince = st.err, st.since
	}
	return w
}

// usable are the endpoints that may be connected to.
func usable(st naming.State[weft.EndpointSet]) []weft.Endpoint {
	if !st.Known {
		return nil
	}
	out := make([]weft.Endpoint, 0, len(st.Value.Endpoints))
	for _, e := range st.Value.Endpoints {
		if e.Local == "" && e.Share() > 0 {
			out = append(out, e)
		}
	}
	return out
}
