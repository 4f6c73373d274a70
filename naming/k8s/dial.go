package k8s

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/weft-mesh/weft/naming"
)

const (
	// dialTimeout bounds the time until a connection can be used, TLS handshake
	// included.
	dialTimeout = 10 * time.Second

	// dialAgain is after how long another attempt is made beside those that have not
	// come to an end. One that was begun while packets were lost may take as long again
	// as that lasted; a new one does not.
	dialAgain = time.Second
)

// dialer opens connections, for http.Transport. Attempts end with ctx, which its
// owner cancels and then waits.
type dialer struct {
	ctx      context.Context
	attempts *attempts
	tls      *tls.Config // nil for plain connections
}

type dialed struct {
	conn net.Conn
	err  error
}

// dial returns the first connection that is ready, or the first failure.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	results := make(chan dialed)
	attempt := func() {
		conn, err := d.connect(ctx, network, addr)
		select {
		case results <- dialed{conn, err}:
		case <-ctx.Done():
			if conn != nil {
				_ = conn.Close() // another one was faster
			}
		}
	}
	again := time.NewTicker(dialAgain)
	defer again.Stop()
	for {
		if !d.attempts.begin(attempt) {
			return nil, fmt.Errorf("connecting to %s: %w", addr, naming.ErrClosed)
		}
		select {
		case r := <-results:
			return r.conn, r.err
		case <-again.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("connecting to %s: %w", addr, context.Cause(ctx))
		}
	}
}

func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext(ctx, network, addr)
	if err != nil || d.tls == nil {
		return conn, err
	}
	config := d.tls.Clone()
	if config.ServerName == "" {
		if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			return nil, err
		}
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, err
	}
	return secure, nil
}
