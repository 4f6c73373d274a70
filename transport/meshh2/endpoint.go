package meshh2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
)

// errNoConnection is about a client that another adapter made.
var errNoConnection = errors.New("meshh2: the endpoint has no connection of this package")

// clientState is what this package keeps per bound name.
type clientState struct {
	ClientSettings
	attemptTimeout time.Duration
	stats          *clientStats // made with the first endpoint
}

func newClientState(s ClientSettings, o transport.ClientOptions) *clientState {
	if s.ConnectTimeout <= 0 {
		s.ConnectTimeout = defaultConnect
	}
	if s.Dial == nil {
		tcp := &net.Dialer{}
		s.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return tcp.DialContext(ctx, "tcp", addr) }
	}
	return &clientState{ClientSettings: s, attemptTimeout: o.AttemptTimeout}
}

// connect makes what reaches one endpoint. The calls for one client come one after
// the other.
func (s *clientState) connect(ep weft.Endpoint, metrics *telemetry.Scope) io.Closer {
	if ep.Local != "" {
		return localAnswer(ep.Local)
	}
	if s.stats == nil {
		s.stats = newClientStats(metrics)
	}
	e := &endpoint{state: s, addr: ep.Addr}
	o := s.Conn
	o.Received, o.Sent = s.stats.conns.Received, s.stats.conns.Sent
	e.client = http2.NewClient(http2.ClientOptions{Dial: e.dial, Conn: o, Observer: s.stats})
	return e
}

// endpoint is one endpoint with its connections.
type endpoint struct {
	state  *clientState
	addr   string
	client *http2.Client
}

// closeTime is for how long uploads go on that their endpoint has answered already.
const closeTime = time.Second

// Connections implements transport.ConnCounter.
func (e *endpoint) Connections() (open, idle int) { return e.client.Stats() }

// Close implements io.Closer. It is called when the last response has ended.
func (e *endpoint) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return e.client.Shutdown(ctx)
}

// dialError marks an error of making a connection that would be the same again.
type dialError struct{ err error }

// Error returns the cause's text.
func (e *dialError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *dialError) Unwrap() error { return e.err }

// dial makes a connection.
func (e *endpoint) dial(ctx context.Context) (net.Conn, error) {
	// The settings first: what they lack no connection can give.
	var cfg *tls.Config
	if e.state.TLS != nil {
		var err error
		if cfg, err = e.state.TLS(); err != nil {
			return nil, &dialError{fmt.Errorf("meshh2: tls to %s: %w", e.addr, err)}
		}
	}
	conn, err := e.tcp(ctx)
	if err != nil || cfg == nil {
		return conn, err
	}
	begun := time.Now()
	conn, err = http2.HandshakeTLS(ctx, conn, cfg)
	if err == nil {
		e.state.stats.conns.Shook(time.Since(begun))
	}
	return conn, err
}

// tcp connects within the connect timeout, which does not cover the handshake.
func (e *endpoint) tcp(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, e.state.ConnectTimeout)
	defer cancel()
	return e.state.Dial(ctx, e.addr)
}
