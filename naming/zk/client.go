package zk

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	zoo "github.com/go-zookeeper/zk"
)

const (
	minRedial = 50 * time.Millisecond
	maxRedial = time.Second

	// settling is how long a client that has found its session again may take to ask
	// for its watches anew.
	settling = time.Second
)

// client is one zk.Conn and what it needs to be tamed. The library dials, and calls
// back, on a goroutine of its own (its loop): Next, dial, and event with a state.
//
// What the library does on its own and is not wanted:
//
//   - It pauses a second before it connects again, unless it has servers left to try.
//     As its HostProvider says that it has, it does not; dial makes the pauses.
//   - Requests that it could not send stay queued while it connects, and the answers
//     to these make it forget, while it asks for its watches anew, since when it has
//     been away: what changed in between would never be told. So it connects only
//     when no request is left (its HostProvider has it give up the ones that are
//     queued), and requests are admitted once the watches have been asked for.
//   - An error of a write while it sends credentials blocks it for ever. A wire
//     has no errors of writes; it closes, and reading fails.
//   - A server that accepts and says nothing holds it for seven times the session's
//     timeout. A wire is less patient. And connections with expired sessions stay open.
type client struct {
	s        *session
	servers  []string
	conn     *zoo.Conn
	events   <-chan zoo.Event
	hopeless chan struct{} // closed when it is not worth trying any longer
	ctx      context.Context
	cancel   context.CancelFunc

	mu          sync.Mutex
	wire        *wire
	next        int // server to dial
	attempts    int // since there was a session
	dialledAt   time.Time
	connectedAt time.Time // zero while there is no session
	hadSession  bool
	settle      *time.Timer // while the watches are not yet set
	giveUp      *time.Timer // while a session is lost
	gaveUp      bool
	cause       error // of the last connection's end
}

func newClient(s *session) (*client, error) {
	c := &client{s: s, servers: strings.Split(s.key.addrs, ","), hopeless: make(chan struct{})}
	rand.Shuffle(len(c.servers), func(i, j int) { c.servers[i], c.servers[j] = c.servers[j], c.servers[i] })
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	s.mu.Lock()
	s.client = c
	s.mu.Unlock()
	begin := make(chan struct{}) // the library calls back before it returns
	conn, events, err := zoo.Connect(slices.Clone(c.servers), s.key.timeout,
		zoo.WithHostProvider(c), zoo.WithDialer(c.dial), zoo.WithLogger(logger{s.logger}), zoo.WithLogInfo(false),
		zoo.WithMaxConnBufferSize(512<<10), zoo.WithMaxBufferSize(64<<20),
		zoo.WithEventCallback(func(e zoo.Event) { <-begin; c.event(e) }))
	if err != nil {
		c.cancel()
		return c, err
	}
	c.conn, c.events = conn, events
	close(begin)
	return c, nil
}

// close ends the client and waits for it.
func (c *client) close() {
	c.mu.Lock()
	stop(&c.settle)
	stop(&c.giveUp)
	c.gaveUp = true
	w, up := c.wire, !c.connectedAt.IsZero()
	c.mu.Unlock()
	c.cancel()
	switch {
	case w == nil:
	case up: // Close has the session ended by the server, which may be gone
		cut := time.AfterFunc(500*time.Millisecond, w.cut)
		defer cut.Stop()
	default:
		w.cut()
	}
	c.conn.Close()
	for range c.events { // it is closed at the very end
	}
}

// Init implements the library's HostProvider. Servers are resolved when they are
// dialled, every time.
func (c *client) Init([]string) error { return nil }

// Len implements the library's HostProvider.
func (c *client) Len() int { return len(c.servers) }

// Next implements the library's HostProvider. It is called before every connection.
func (c *client) Next() (server string, retryStart bool) {
	c.mu.Lock()
	if !c.connectedAt.IsZero() && time.Since(c.connectedAt) > maxRedial {
		c.attempts = 0
	}
	c.connectedAt = time.Time{}
	server = c.servers[c.next%len(c.servers)]
	c.next++
	c.mu.Unlock()
	c.s.lost(c, nil, false)
	return server, c.ctx.Err() != nil || !c.s.idle(20*time.Millisecond)
}

// Connected implements the library's HostProvider.
func (c *client) Connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connectedAt = time.Now()
	c.cause = nil
}

// dial connects to a server, after a pause if all servers have been tried.
func (c *client) dial(_, addr string, timeout time.Duration) (net.Conn, error) {
	c.mu.Lock()
	if c.wire != nil {
		c.wire.cut()
		c.wire = nil
	}
	round := c.attempts / len(c.servers)
	begins := c.attempts%len(c.servers) == 0
	c.attempts++
	last := c.dialledAt
	c.mu.Unlock()
	if round > 0 && begins {
		d := min(minRedial<<min(round-1, 10), maxRedial)
		pause(c.ctx, d-rand.N(d/2)-time.Since(last))
	}
	c.mu.Lock()
	c.dialledAt = time.Now()
	c.mu.Unlock()
	if !c.s.idle(0) {
		return nil, ErrNoSession // a request came in between; its turn is over with the next Next
	}
	d := &net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(c.ctx, "tcp", addr)
	if err == nil && c.s.key.tls != nil {
		conn, err = handshake(c.ctx, conn, addr, c.s.key.tls, timeout)
	}
	if err != nil {
		c.ended(err)
		c.s.lost(c, err, true)
		return nil, err
	}
	// The library's own patience is seven times the session's timeout.
	w := &wire{Conn: conn, c: c, patience: max(c.s.key.timeout*2/3, time.Second)}
	c.mu.Lock()
	c.wire = w
	c.mu.Unlock()
	return w, nil
}

// handshake speaks TLS.
func handshake(ctx context.Context, conn net.Conn, addr string, config *tls.Config, timeout time.Duration) (net.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			config.ServerName = host
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		return nil, err
	}
	return t, nil
}

// ended notes why a connection is over.
func (c *client) ended(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil || c.connectedAt.IsZero() {
		c.cause = err
	}
}

// event is the library's callback.
func (c *client) event(e zoo.Event) {
	c.mu.Lock()
	over := c.gaveUp
	c.mu.Unlock()
	if over {
		return
	}
	if e.Type != zoo.EventSession {
		c.s.watched.fire(e)
		return
	}
	switch e.State {
	case zoo.StateHasSession:
		c.hasSession()
	case zoo.StateExpired:
		c.ended(zoo.ErrSessionExpired)
		c.s.watched.reset()
	case zoo.StateDisconnected:
		c.disconnected()
	default: // steps on the way
	}
}

// hasSession is called when the servers have given or confirmed a session.
func (c *client) hasSession() {
	c.mu.Lock()
	defer c.mu.Unlock()
	stop(&c.giveUp)
	first := !c.hadSession
	c.hadSession = true
	if first && c.s.key.auth != "" {
		c.s.wg.Go(c.authenticate)
		return
	}
	if c.s.watched.armed() == 0 {
		c.s.established(c, c.conn.SessionID())
		return
	}
	c.settle = time.AfterFunc(settling, c.settled)
}

// authenticate says who the client is. The library says it again with every
// further connection.
func (c *client) authenticate() {
	if err := c.conn.AddAuth("digest", []byte(c.s.key.auth)); err != nil {
		// Only a connection's end makes it fail, after which there is no second time.
		c.giveUpNow()
		return
	}
	c.s.established(c, c.conn.SessionID())
}

// settled is called when the watches have been asked for anew.
func (c *client) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settle == nil {
		return
	}
	stop(&c.settle)
	c.s.established(c, c.conn.SessionID())
}

// disconnected is called when a connection is over.
func (c *client) disconnected() {
	c.mu.Lock()
	stop(&c.settle)
	cause := c.cause
	if c.hadSession && c.giveUp == nil && !c.gaveUp {
		c.giveUp = time.AfterFunc(c.s.key.timeout+maxRedial, c.giveUpNow)
	}
	c.mu.Unlock()
	c.s.lost(c, cause, false)
}

// giveUpNow has the client replaced.
func (c *client) giveUpNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gaveUp {
		c.gaveUp = true
		close(c.hopeless)
	}
}

// stop ends a timer that may not be there. The mutex that guards it is held.
func stop(t **time.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
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

// logger gives what the library says to a slog.Logger, at level Debug: what matters
// of it is told in the words of the session.
type logger struct{ to *slog.Logger }

// Printf implements the library's Logger.
func (l logger) Printf(format string, args ...any) {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		l.to.Debug(fmt.Sprintf(format, args...))
	}
}
