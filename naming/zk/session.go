package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ErrNoSession is in the chain of the error of a name while there is no session with
// its ensemble.
var ErrNoSession = errors.New("zk: no session")

// maxInFlight is how many requests a session has under way; others wait.
const maxInFlight = 64

// link is what is known of a session's connection.
type link struct {
	up    bool
	count int   // of connections; a reader that sees another one confirms what it knows
	err   error // why it is not up; nil while the first connection is being made
}

// session is a session with an ensemble that is replaced when it is lost. Other than
// with the library's Conn, requests end with their context, a znode is watched once
// for all of its readers, and nothing is left behind when it is closed.
type session struct {
	key    sessionKey
	logger *slog.Logger

	link     weft.Var[link]
	inFlight chan struct{} // holds a token per request
	watched  registry

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // the supervisor, requests, timers

	mu       sync.Mutex
	client   *client // nil before the first and after the last
	cur      link
	requests int           // admitted and not yet answered
	drained  chan struct{} // if somebody waits for requests to be 0
	stat     naming.WatchStatus

	dialFailed bool // that is what cur.err tells
}

func newSession(key sessionKey, logger *slog.Logger) *session {
	s := &session{
		key:      key,
		logger:   logger.With("zookeeper", key.addrs),
		inFlight: make(chan struct{}, maxInFlight),
		stat:     naming.WatchStatus{Watching: "session with " + key.addrs, Since: time.Now()},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(s.supervise)
	return s
}

// supervise runs one client after the other. A client is given up when it has been
// without a connection for as long as its session lives: the session is lost then, and
// a client that insists on it may never be let in again, such as when the servers have
// been restored from a backup and refuse who has seen more than they know.
func (s *session) supervise() {
	for s.ctx.Err() == nil {
		c, err := newClient(s)
		if err != nil { // it refuses only what was checked before
			s.lost(c, err, false)
			<-s.ctx.Done()
			return
		}
		select {
		case <-c.hopeless:
		case <-s.ctx.Done():
		}
		s.lost(c, nil, false)
		s.mu.Lock()
		s.client = nil
		s.mu.Unlock()
		s.watched.reset()
		s.wg.Go(c.close) // while the next one begins
	}
}

// close ends the session and waits for it.
func (s *session) close() {
	s.cancel()
	s.wg.Wait()
}

// answered counts a request out.
func (s *session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests--
	if s.requests == 0 && s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// idle reports whether no requests are under way, for which it waits a little.
func (s *session) idle(patience time.Duration) bool {
	s.mu.Lock()
	if s.requests == 0 {
		s.mu.Unlock()
		return true
	}
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-drained:
		return true
	case <-t.C:
		return false
	}
}

// established says that the client has a session and its watches are set.
func (s *session) established(c *client, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != c || s.cur.up {
		return
	}
	if s.cur.err != nil {
		s.logger.Info("zookeeper session established", "session", fmt.Sprintf("%#x", id))
	}
	s.cur = link{up: true, count: s.cur.count + 1}
	s.stat.Known, s.stat.Answer, s.stat.Version, s.stat.Updated = true, "established", fmt.Sprintf("%#x", id), time.Now()
	s.stat.Err, s.stat.ErrSince = nil, time.Time{}
	s.stat.Updates++
	s.link.Store(s.cur)
}

// lost says that the client has no connection, and why. No request is admitted when it
// returns. While the session is lost its readers are told of two causes, how it was
// lost and why no server can be dialled, and not of every attempt.
func (s *session) lost(c *client, cause error, dialling bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != c || !s.cur.up && (cause == nil || s.cur.err != nil && (s.dialFailed || !dialling)) {
		return
	}
	s.dialFailed = dialling
	err := fmt.Errorf("%w with %s", ErrNoSession, s.key.addrs)
	if cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if s.ctx.Err() == nil && s.cur.err == nil {
		s.logger.Warn("no zookeeper session; the last answers hold", "err", err)
	}
	if s.stat.Err == nil {
		s.stat.ErrSince = time.Now()
	}
	s.stat.Err = err
	s.stat.Failures++
	s.cur = link{count: s.cur.count, err: err}
	s.link.Store(s.cur)
}

// status returns the state of the session.
func (s *session) status() naming.WatchStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stat
}

func sortWatches(list []naming.WatchStatus) {
	slices.SortFunc(list, func(a, b naming.WatchStatus) int { return strings.Compare(a.Watching, b.Watching) })
}
