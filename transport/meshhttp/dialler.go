package meshhttp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/rawio"
)

// dialler makes connections to one endpoint. Its errors are *dialError.
type dialler struct {
	addr    string
	timeout time.Duration // of the TCP connection
	tls     func() (*tls.Config, error)
	connect func(ctx context.Context, addr string) (net.Conn, error)
	shook   func(took time.Duration) // is told of TLS handshakes
}

func newDialler(ep weft.Endpoint, set ClientSettings) *dialler {
	d := &dialler{addr: ep.Addr, timeout: set.Pool.withDefaults().ConnectTimeout, tls: set.TLS, connect: set.Dial}
	if d.connect == nil {
		tcp := &net.Dialer{}
		d.connect = func(ctx context.Context, addr string) (net.Conn, error) { return tcp.DialContext(ctx, "tcp", addr) }
	}
	return d
}

// dial makes a connection. With TLS it offers protocols, unless there are none.
func (d *dialler) dial(ctx context.Context, protocols ...string) (net.Conn, error) {
	// The settings first: what they lack no connection can give.
	var cfg *tls.Config
	if d.tls != nil {
		var err error
		if cfg, err = d.tls(); err != nil {
			return nil, &dialError{err: fmt.Errorf("meshhttp: tls to %s: %w", d.addr, err), setup: true}
		}
	}
	conn, err := d.tcp(ctx)
	if err != nil {
		return nil, &dialError{err: reason(ctx, err)}
	}
	if cfg == nil {
		return conn, nil
	}
	if len(protocols) > 0 {
		cfg = cfg.Clone()
		cfg.NextProtos = protocols
	}
	begun := time.Now()
	secure := tls.Client(rawio.Wrap(conn), cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, &dialError{err: reason(ctx, err), handshake: true}
	}
	if d.shook != nil {
		d.shook(time.Since(begun))
	}
	return secure, nil
}

// reason is what ended ctx, if anything did, and err otherwise. net and tls say
// context.Canceled also when it was a timeout, and no attempt follows one that the
// caller has cancelled.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// tcp connects within the connect timeout, which does not cover the handshake.
func (d *dialler) tcp(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return d.connect(ctx, d.addr)
}
