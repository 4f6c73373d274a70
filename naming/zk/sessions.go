package zk

import (
	"log/slog"
	"sync"
	"time"

	"github.com/weft-mesh/weft/naming"
)

// SessionsOptions are the settings of Sessions. The zero value is the default.
type SessionsOptions struct {
	// Idle is how long a session that nobody uses stays open. Zero is 10 s, a negative
	// value no time at all.
	Idle time.Duration

	// Logger is told of sessions that are lost and found. Nil is silent.
	Logger *slog.Logger
}

// Sessions are the sessions with ensembles of ZooKeeper: one for each set of
// servers, credentials and timeout, for whoever uses it. A session is opened when it
// is first used. They are safe for concurrent use. Close them after the namers that
// use them.
type Sessions struct {
	opts SessionsOptions
	wg   sync.WaitGroup // idle timers, and sessions that end

	mu     sync.Mutex
	closed bool
	open   map[sessionKey]*sessionUse
}

// sessionUse counts the users of a session.
type sessionUse struct {
	s     *session
	users int
	idle  *time.Timer // runs while users is 0
}

// NewSessions returns Sessions, of which none is open.
func NewSessions(o SessionsOptions) *Sessions {
	if o.Idle == 0 {
		o.Idle = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sessions{opts: o, open: map[sessionKey]*sessionUse{}}
}

// use returns the session of the key, opened if need be. Whoever calls it calls
// release once it does not need the session any more.
func (p *Sessions) use(key sessionKey) (s *session, release func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, naming.ErrClosed
	}
	u := p.open[key]
	if u == nil {
		u = &sessionUse{s: newSession(key, p.opts.Logger)}
		p.open[key] = u
	}
	u.users++
	p.stopIdle(u)
	return u.s, func() { p.release(key, u) }, nil
}

// release takes a user off, and begins to wait for the next one after the last.
func (p *Sessions) release(key sessionKey, u *sessionUse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u.users--
	if u.users > 0 || p.closed {
		return
	}
	p.wg.Add(1)
	var t *time.Timer
	t = time.AfterFunc(max(p.opts.Idle, 0), func() {
		defer p.wg.Done()
		p.mu.Lock()
		// A timer that fired while somebody came is not the current one any more.
		over := u.idle == t && !p.closed
		if over {
			delete(p.open, key)
		}
		p.mu.Unlock()
		if over {
			u.s.close()
		}
	})
	u.idle = t
}

// stopIdle takes the timer of release back. The mutex is held.
func (p *Sessions) stopIdle(u *sessionUse) {
	if u.idle != nil && u.idle.Stop() {
		p.wg.Done()
	}
	u.idle = nil
}

// Len returns the number of open sessions.
func (p *Sessions) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Watches implements naming.Reporter: one status for each open session.
func (p *Sessions) Watches() []naming.WatchStatus {
	p.mu.Lock()
	all := make([]*session, 0, len(p.open))
	for _, u := range p.open {
		all = append(all, u.s)
	}
	p.mu.Unlock()
	list := make([]naming.WatchStatus, len(all))
	for i, s := range all {
		list[i] = s.status()
	}
	sortWatches(list)
	return list
}

// Close ends all sessions and waits for them: their ephemeral znodes are gone as far
// as the servers could be told. It may be called more than once.
func (p *Sessions) Close() error {
	p.mu.Lock()
	p.closed = true
	all := p.open
	p.open = map[sessionKey]*sessionUse{}
	for _, u := range all {
		p.stopIdle(u)
	}
	p.mu.Unlock()
	for _, u := range all {
		p.wg.Go(u.s.close)
	}
	p.wg.Wait()
	return nil
}
