package zk

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"time"

	zoo "github.com/go-zookeeper/zk"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

const (
	minRedial = 50 * time.Millisecond
	maxRedial = time.Second
)

// ErrNoSession is in the chain of errors while no server can be talked to.
var ErrNoSession = errors.New("zk: no session")

// standing is what is known of the connection: the zero standing is that the first one
// is being made.
type standing struct {
	link *link // nil while there is none
	err  error // why
}

// ensemble keeps one link with one of the servers.
type ensemble struct {
	config Config
	layout layout
	acl    []zoo.ACL
	logger *slog.Logger
	cur    weft.Var[standing]

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // run, requests, and links that end

	mu     sync.Mutex
	closed bool
	status naming.WatchStatus
}

// newEnsemble begins to connect.
func newEnsemble(c Config, acl []zoo.ACL, logger *slog.Logger) *ensemble {
	e := &ensemble{config: c, layout: newLayout(c.PathPrefix), acl: acl, logger: logger}
	e.status = naming.WatchStatus{Watching: fmt.Sprintf("session with %v", c.Addrs), Since: time.Now()}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.wg.Go(e.run)
	return e
}

// close ends the link and waits for whatever uses it.
func (e *ensemble) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
}

// run has one link after the other.
func (e *ensemble) run() {
	servers := mrand.Perm(len(e.config.Addrs))
	delay := minRedial
	for n := 0; e.ctx.Err() == nil; n++ {
		began := time.Now()
		l, err := dial(e.ctx, e.config, e.config.Addrs[servers[n%len(servers)]], e.logger)
		if err == nil {
			err = e.prepare(e.ctx, l)
			if err != nil && !lost(err) {
				err = nil // it matters when something is written
			}
		}
		if err == nil {
			began = time.Now()
			e.established(l)
			select {
			case <-l.over:
				err = l.reason()
			case <-e.ctx.Done():
				err = naming.ErrClosed
			}
		}
		e.lost(err)
		if l != nil {
			e.wg.Go(l.close) // while the next one begins
		}
		if time.Since(began) > maxRedial {
			delay = minRedial
		}
		if (n+1)%len(servers) == 0 {
			pause(e.ctx, delay-mrand.N(delay/2))
			delay = min(2*delay, maxRedial)
		}
	}
}

// established says that there is a link.
func (e *ensemble) established(l *link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status.Err != nil {
		e.logger.Info("zookeeper session established", "server", l.addr)
	}
	s := &e.status
	s.Known, s.Answer, s.Version, s.Updated = true, "established with "+l.addr, fmt.Sprintf("%#x", l.conn.SessionID()), time.Now()
	s.Err, s.ErrSince = nil, time.Time{}
	s.Updates++
	e.cur.Store(standing{link: l})
}

// lost says that there is none, and why.
func (e *ensemble) lost(cause error) {
	err := fmt.Errorf("%w with %v: %w", ErrNoSession, e.config.Addrs, cause)
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &e.status
	if s.Err == nil {
		s.ErrSince = time.Now()
		if e.ctx.Err() == nil {
			e.logger.Warn("no zookeeper session; the last answers hold", "err", err)
		}
	}
	s.Failures++
	if cur, _ := e.cur.Load(); cur.link == nil && cur.err != nil && cur.err.Error() == err.Error() {
		return
	}
	s.Err = err
	e.cur.Store(standing{err: err})
}

// watching returns the state of the connection.
func (e *ensemble) watching() naming.WatchStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// await returns a link, as soon as there is one. If there is none before ctx ends, its
// error says why.
func (e *ensemble) await(ctx context.Context) (*link, error) {
	for {
		s, stale := e.cur.Load()
		if s.link != nil {
			return s.link, nil
		}
		select {
		case <-stale:
		case <-ctx.Done():
			if s.err != nil && !errors.Is(context.Cause(ctx), context.Canceled) {
				return nil, s.err
			}
			return nil, context.Cause(ctx)
		case <-e.ctx.Done():
			return nil, naming.ErrClosed
		}
	}
}

// ask has f ask something over a link, and waits for the answer no longer than ctx
// lasts. f ends with the link at the latest.
func ask[T any](ctx context.Context, e *ensemble, l *link, f func(*zoo.Conn) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return none, naming.ErrClosed
	}
	got := make(chan answer, 1)
	e.wg.Go(func() {
		v, err := f(l.conn)
		got <- answer{v, err}
	})
	e.mu.Unlock()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// sync has the server learn of all writes that are acknowledged by now: it may be one
// that lags behind.
func (e *ensemble) sync(ctx context.Context, l *link) error {
	_, err := ask(ctx, e, l, func(c *zoo.Conn) (string, error) { return c.Sync(e.layout.prefix) })
	return err
}

// prepare makes what is missing of the znodes that all namespaces share, and reads the
// name of the data. It returns the first error, and does all that it can.
func (e *ensemble) prepare(ctx context.Context, l *link) error {
	if err := e.sync(ctx, l); err != nil {
		return err
	}
	err := e.ensure(ctx, l, e.layout.prefix, nil)
	if err != nil && lost(err) {
		return err
	}
	if also := e.ensure(ctx, l, e.layout.history, []byte(rand.Text())); err == nil {
		err = also
	}
	name, unread := ask(ctx, e, l, func(c *zoo.Conn) (string, error) {
		text, _, err := c.Get(e.layout.history)
		return string(text), err
	})
	l.of.Store(&name) // empty if it cannot be read
	return cmp.Or(err, unread)
}

// ensure makes a znode and its parents if they are not there.
func (e *ensemble) ensure(ctx context.Context, l *link, path string, content []byte) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		of := content
		if i < len(path) {
			of = nil
		}
		_, err := ask(ctx, e, l, func(c *zoo.Conn) (bool, error) {
			there, _, err := c.Exists(path[:i])
			if err == nil && !there {
				_, err = c.Create(path[:i], of, 0, e.acl)
			}
			return true, err
		})
		if err != nil && !errors.Is(err, zoo.ErrNodeExists) {
			return err
		}
	}
	return nil
}

// lost reports whether an error is about the connection and not about what was asked:
// if that was a write it may have been made.
func lost(err error) bool {
	if errors.As(err, new(*malformed)) || errors.As(err, new(*definite)) || errors.As(err, new(*namerd.Error)) {
		return false
	}
	for _, known := range []error{
		zoo.ErrNoNode, zoo.ErrNoAuth, zoo.ErrBadVersion, zoo.ErrNodeExists, zoo.ErrNotEmpty, zoo.ErrInvalidACL,
		zoo.ErrNoChildrenForEphemerals, zoo.ErrInvalidPath, zoo.ErrBadArguments, zoo.ErrAuthFailed, zoo.ErrAPIError, naming.ErrClosed,
	} {
		if errors.Is(err, known) {
			return false
		}
	}
	return true
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
