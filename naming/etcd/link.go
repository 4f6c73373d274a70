package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

var (
	errNotYet = errors.New("not connected yet")
	errSilent = errors.New("the connection has gone silent")
)

// link keeps the one connection of a Namer: it makes sessions, finds out whether
// they are well, and replaces those that are of no use any more. Its goroutine
// begins with the first use and ends with stop.
type link struct {
	client clientv3.Config
	keys   string
	opts   Options

	ctx    context.Context
	cancel context.CancelFunc
	begin  sync.Once
	done   chan struct{}

	state weft.Var[linkState]
	saw   struct { // what the last probe saw; only the goroutine looks at it
		cluster uint64
		trouble string
	}

	mu    sync.Mutex
	epoch int64
	seen  int64 // the highest revision that anybody has seen in this epoch
}

// linkState is what the users of a link need to know.
type linkState struct {
	s *session // nil: there is none

	// well reports that the last probe was answered, and err is what is wrong
	// otherwise, nil before the first probe.
	well bool
	err  error

	// epoch changes whenever what was seen before says nothing about what is to be
	// seen: revisions go on within an epoch only.
	epoch int64
}

// session is one client of etcd, with one connection and one token.
type session struct {
	client *clientv3.Client
	ctx    context.Context // ends when the session is of no use any more
	end    context.CancelCauseFunc
}

func newLink(c Config, o Options) *link {
	l := &link{keys: c.keys(), opts: o, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.client = clientv3.Config{
		Endpoints: c.Endpoints, Username: c.Username, Password: c.Password, TLS: c.TLS,
		Context:     l.ctx,
		DialTimeout: o.Timeout,
		// What gRPC allows at least; the probe is faster. It has TCP_USER_TIMEOUT set, too.
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: o.Timeout, PermitWithoutStream: true,
		// Once more for an expired token. Whatever else fails is tried again here, with a back-off.
		MaxUnaryRetries: 2,
		Logger:          zap.NewNop(), // what is worth saying is said here
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			// The default goes up to two minutes.
			Backoff:           backoff.Config{BaseDelay: o.MinBackoff, Multiplier: 1.6, Jitter: 0.2, MaxDelay: min(o.MaxBackoff, time.Second)},
			MinConnectTimeout: o.Timeout,
		})},
	}
	return l
}

// stop ends the sessions. It does not wait.
func (l *link) stop() {
	l.cancel()
	l.begin.Do(func() { close(l.done) })
}

// close waits for the end that stop has begun.
func (l *link) close() { <-l.done }

// now returns the present state and a channel that is closed when there is a newer
// one.
func (l *link) now() (linkState, <-chan struct{}) {
	l.begin.Do(func() { go l.run() })
	return l.state.Load()
}

// session waits for a session that is well.
func (l *link) session(ctx context.Context) (*session, error) {
	for {
		st, stale := l.now()
		if st.well {
			return st.s, nil
		}
		select {
		case <-stale:
		case <-ctx.Done():
			if l.ctx.Err() != nil {
				return nil, naming.ErrClosed
			}
			if st.err == nil {
				st.err = errNotYet
			}
			return nil, st.err
		}
	}
}

// note remembers that a revision was seen in an epoch.
func (l *link) note(epoch, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch == l.epoch {
		l.seen = max(l.seen, revision)
	}
}

// noted returns the present epoch and the highest revision that was seen in it.
func (l *link) noted() (epoch, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, l.seen
}

// next begins an epoch.
func (l *link) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.seen = 0
}

// run is the goroutine.
func (l *link) run() {
	defer close(l.done)
	delay := l.opts.MinBackoff
	for l.ctx.Err() == nil {
		wasWell, err := l.serve()
		if l.ctx.Err() != nil {
			return
		}
		if wasWell && outdated(err) {
			l.renew() // one more password check, and nothing to worry anybody
			continue
		}
		l.trouble(nil, err)
		if wasWell {
			delay = l.opts.MinBackoff
		}
		pause(l.ctx, jittered(delay))
		longest := l.opts.MaxBackoff
		if refused(err) {
			longest *= 2 // checking a password is expensive
		}
		delay = min(2*delay, longest)
	}
}

// serve makes a session and looks after it until it is of no use any more.
func (l *link) serve() (wasWell bool, err error) {
	// It authenticates, but does not wait for the connection otherwise.
	client, err := clientv3.New(l.client)
	if err != nil {
		return false, err
	}
	s := &session{client: client}
	s.ctx, s.end = context.WithCancelCause(l.ctx)
	defer func() {
		s.end(err)
		_ = client.Close() // tells that its context has ended
	}()
	if l.saw.cluster == 0 {
		l.next() // nothing tells whether it is the one that was there before
	}
	conn := client.ActiveConnection()
	for {
		before := conn.GetState()
		err := l.probe(s)
		wait := l.opts.Probe - rand.N(l.opts.Probe/4+1)
		switch {
		case l.ctx.Err() != nil:
			return wasWell, l.ctx.Err()
		case err == nil:
			wasWell = true
			l.well(s)
		case refused(err) || outdated(err):
			return wasWell, err
		case silent(conn, err):
			return wasWell, errSilent
		default:
			l.trouble(s, err)
			wait = min(wait, 500*time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(s.ctx, wait)
		conn.WaitForStateChange(ctx, before)
		cancel()
		if s.ctx.Err() != nil {
			return wasWell, context.Cause(s.ctx)
		}
	}
}

// probe asks for next to nothing. The answer tells that etcd has a leader and takes
// the credentials, and how far it has got.
func (l *link) probe(s *session) error {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(s.ctx), l.opts.Timeout)
	defer cancel()
	epoch, seen := l.noted()
	from, to := everything(l.keys)
	// The client itself would wait for a connection until the context ends, and forget
	// why there is none.
	resp, err := etcdserverpb.NewKVClient(s.client.ActiveConnection()).Range(ctx, &etcdserverpb.RangeRequest{
		Key: []byte(from), RangeEnd: []byte(to), Limit: 1, KeysOnly: true,
	}, grpc.WaitForReady(false))
	switch err = rpctypes.Error(err); {
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return nil // it is alive; whether a service may be read is seen there
	case err != nil:
		return err
	}
	// A read is never older than what anybody has seen before it began, unless this is
	// another cluster, or one that was restored from a backup.
	if cluster := resp.Header.ClusterId; cluster != l.saw.cluster || resp.Header.Revision < seen {
		if l.saw.cluster != 0 {
			l.opts.Logger.Warn("etcd: this is not the data that was there before; everything is listed again",
				"cluster", strconv.FormatUint(cluster, 16), "before", strconv.FormatUint(l.saw.cluster, 16), "revision", resp.Header.Revision)
		}
		l.saw.cluster = cluster
		l.next()
		epoch++
	}
	l.note(epoch, resp.Header.Revision)
	return nil
}

// well says that the session is well.
func (l *link) well(s *session) {
	if l.saw.trouble != "" {
		l.opts.Logger.Info("etcd: is back", "endpoints", l.client.Endpoints)
		l.saw.trouble = ""
	}
	epoch, _ := l.noted()
	next := linkState{s: s, well: true, epoch: epoch}
	if st, _ := l.state.Load(); st != next {
		l.state.Store(next)
	}
}

// renew says that there is no session for a moment.
func (l *link) renew() {
	epoch, _ := l.noted()
	l.state.Store(linkState{epoch: epoch})
}

// trouble says what is wrong with the session, or why there is none.
func (l *link) trouble(s *session, err error) {
	err = fmt.Errorf("etcd: %w", err)
	if kind := kindOf(err); kind != l.saw.trouble {
		l.opts.Logger.Warn("etcd: "+kind, "endpoints", l.client.Endpoints, "err", err)
		l.saw.trouble = kind
	}
	epoch, _ := l.noted()
	next := linkState{s: s, err: err, epoch: epoch}
	st, _ := l.state.Load()
	if st.err == nil || st.s != s || st.err.Error() != err.Error() {
		l.state.Store(next)
	}
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

// jittered returns a random duration from d/2 to d.
func jittered(d time.Duration) time.Duration { return d - rand.N(d/2+1) }
