package etcd

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/weft-mesh/weft/naming"
)

// link has the client of etcd: makes it when it is needed, which may take a password
// check, replaces it when it is of no use any more, and knows how far etcd has got. It
// is safe for concurrent use.
type link struct {
	cfg    clientv3.Config
	logger *slog.Logger

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	cur    *session
	making *making
	seen   progress
}

// session is a client while it is in use.
type session struct {
	client *clientv3.Client
	ctx    context.Context // ends when it is replaced
	end    context.CancelFunc
	users  sync.WaitGroup
}

// making is a session that is being made.
type making struct {
	done chan struct{}
	err  error
}

// progress is how far etcd has got. What was seen before says something about what is
// to be seen within an epoch only.
type progress struct {
	epoch    int
	cluster  uint64
	setBacks int
	revision int64
}

// of names the sequence of revisions.
func (p progress) of() string {
	of := strconv.FormatUint(p.cluster, 16)
	if p.setBacks > 0 {
		of += "." + strconv.Itoa(p.setBacks)
	}
	return of
}

func newLink(c Config, o Options) *link {
	l := &link{logger: o.Logger}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.cfg = clientv3.Config{
		Endpoints: c.Endpoints, Username: c.Username, Password: c.Password, TLS: c.TLS,
		Context:     l.ctx,
		DialTimeout: o.Timeout,
		// What gRPC allows at least; the probe of the watch is faster.
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: o.Timeout, PermitWithoutStream: true,
		// Once more for an expired token. Whatever else fails is tried again here, with a back-off.
		MaxUnaryRetries: 2,
		Logger:          zap.NewNop(), // what is worth saying is said here
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			// The default goes up to two minutes.
			Backoff:           backoff.Config{BaseDelay: o.MinBackoff, Multiplier: 1.6, Jitter: 0.2, MaxDelay: o.MaxBackoff},
			MinConnectTimeout: o.Timeout,
		})},
	}
	return l
}

// close ends the session, waits, and leaves nothing behind.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	l.retire()
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
}

// acquire returns the session, which stays open until release is called.
func (l *link) acquire(ctx context.Context) (s *session, release func(), err error) {
	for {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return nil, nil, naming.ErrClosed
		}
		if s := l.cur; s != nil {
			s.users.Add(1)
			l.mu.Unlock()
			return s, s.users.Done, nil
		}
		m := l.making
		if m == nil {
			m = &making{done: make(chan struct{})}
			l.making = m
			l.wg.Go(func() { l.make(m) })
		}
		l.mu.Unlock()
		select {
		case <-m.done:
			if m.err != nil {
				return nil, nil, m.err
			}
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// make makes a session. It authenticates, but does not wait for connections otherwise.
func (l *link) make(m *making) {
	client, err := clientv3.New(l.cfg)
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(m.done)
	l.making = nil
	if err != nil {
		m.err = err
		return
	}
	s := &session{client: client}
	s.ctx, s.end = context.WithCancel(l.ctx)
	l.cur = s
	if l.closed {
		l.retire()
	}
}

// discard has the next acquire make a new session, if s is the present one.
func (l *link) discard(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cur == s {
		l.retire()
	}
}

// retire closes the present session once nobody uses it. The mutex is held.
func (l *link) retire() {
	s := l.cur
	if s == nil {
		return
	}
	l.cur = nil
	s.end()
	l.wg.Go(func() {
		s.users.Wait()
		_ = s.client.Close() // tells that its context has ended
	})
}

// progress returns how far etcd had got when it was last heard.
func (l *link) progress() progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// note takes the header of an answer that cannot be older than what was seen before it
// was asked for, unless the data is not what it was. It returns the progress in whose
// epoch the answer is.
func (l *link) note(before progress, h *etcdserverpb.ResponseHeader) progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen.epoch != before.epoch {
		return before
	}
	switch {
	case l.seen.cluster == 0:
		l.seen.cluster = h.ClusterId
	case h.ClusterId == l.seen.cluster && h.Revision >= before.revision:
	default:
		l.logger.Warn("etcd: this is not the data that was there before; everything is listed again",
			"cluster", strconv.FormatUint(h.ClusterId, 16), "revision", h.Revision, "before", before.of(), "before revision", before.revision)
		if h.ClusterId == l.seen.cluster {
			l.seen.setBacks++
		} else {
			l.seen.setBacks = 0
		}
		l.seen.epoch++
		l.seen.cluster, l.seen.revision = h.ClusterId, 0
	}
	l.seen.revision = max(l.seen.revision, h.Revision)
	return l.seen
}
