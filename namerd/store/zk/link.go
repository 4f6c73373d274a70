package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	zoo "github.com/go-zookeeper/zk"
)

// link is one connection to a server, with a session that lives as long. A store has
// nothing in ZooKeeper that ends with a session, so a lost connection is never taken up
// again: the next link reads everything anew. That leaves out what is hard to get right
// with the library's reconnections, namely events that it loses, requests that it
// keeps, and credentials that it sends while it cannot write.
type link struct {
	addr    string
	ctx     context.Context // of the dialling
	conn    *zoo.Conn
	events  <-chan zoo.Event
	watches watches
	of      atomic.Pointer[string] // names the data; nil until it was read

	up   chan struct{} // closed when there is a session
	over chan struct{} // closed when the connection is lost

	mu    sync.Mutex
	dials int
	wire  net.Conn
	cause error // why it is over
	ended bool
}

// dial connects to a server and waits for the session. It returns the link, which must
// be closed, in any case.
func dial(ctx context.Context, c Config, addr string, logger *slog.Logger) (*link, error) {
	l := &link{addr: addr, ctx: ctx, up: make(chan struct{}), over: make(chan struct{})}
	var err error
	l.conn, l.events, err = zoo.Connect([]string{addr}, c.SessionTimeout,
		zoo.WithHostProvider(l), zoo.WithDialer(l.dial), zoo.WithEventCallback(l.event),
		zoo.WithLogger(debugLogger{logger}), zoo.WithLogInfo(false), zoo.WithMaxBufferSize(64<<20))
	if err != nil {
		return nil, err
	}
	// The library's own patience with a server that says nothing is seven times the timeout.
	patience := time.NewTimer(max(c.SessionTimeout*2/3, time.Second))
	defer patience.Stop()
	select {
	case <-l.up:
	case <-l.over:
		return l, l.reason()
	case <-patience.C:
		return l, errors.New("the server accepts connections and says nothing")
	case <-ctx.Done():
		return l, context.Cause(ctx)
	}
	if c.Auth != nil {
		if err := l.conn.AddAuth(c.Auth.Scheme, []byte(c.Auth.Auth)); err != nil {
			return l, fmt.Errorf("authInfo: %w", err)
		}
	}
	return l, nil
}

// close ends the session, which a server that answers learns, and waits for the library.
func (l *link) close() {
	l.mu.Lock()
	over := l.ended
	l.mu.Unlock()
	if over {
		l.cut()
	} else {
		late := time.AfterFunc(500*time.Millisecond, l.cut)
		defer late.Stop()
	}
	l.conn.Close()
	l.cut()
	for range l.events { // it is closed at the very end
	}
}

// cut closes the connection.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wire != nil {
		_ = l.wire.Close() // there is nothing to do about it
	}
}

// lost notes that the link is over and why, if that is not known.
func (l *link) lost(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		l.cause = cause
	}
	if !l.ended {
		l.ended = true
		close(l.over)
	}
}

// reason returns why the link is over.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// dial is the library's dialer, which has one attempt.
func (l *link) dial(_, addr string, timeout time.Duration) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	again := l.dials > 1
	l.mu.Unlock()
	if again {
		return nil, zoo.ErrClosing
	}
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(l.ctx, "tcp", addr)
	if err != nil {
		l.lost(err)
		return nil, err
	}
	w := wire{conn, l}
	l.mu.Lock()
	l.wire = w
	l.mu.Unlock()
	return w, nil
}

// event is the library's callback.
func (l *link) event(e zoo.Event) {
	switch {
	case e.Type != zoo.EventSession:
		l.watches.fire(e)
	case e.State == zoo.StateHasSession:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.dials == 1 && !l.ended {
			close(l.up)
		}
	case e.State == zoo.StateDisconnected, e.State == zoo.StateExpired:
		l.lost(zoo.ErrConnectionClosed)
	default: // steps on the way
	}
}

// Init implements the library's HostProvider.
func (l *link) Init([]string) error { return nil }

// Len implements the library's HostProvider.
func (l *link) Len() int { return 1 }

// Next implements the library's HostProvider. After the first connection it has the
// library wait to be closed.
func (l *link) Next() (server string, retryStart bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr, l.dials > 0
}

// Connected implements the library's HostProvider.
func (l *link) Connected() {}

// wire is a connection that notes why it is over.
type wire struct {
	net.Conn
	l *link
}

// Read implements net.Conn.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		w.l.lost(err)
	}
	return n, err
}

// debugLogger gives what the library says to a slog.Logger, at level Debug: what
// matters of it is told in the words of the session.
type debugLogger struct{ to *slog.Logger }

// Printf implements the library's Logger.
func (l debugLogger) Printf(format string, args ...any) {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		l.to.Debug(fmt.Sprintf(format, args...))
	}
}
