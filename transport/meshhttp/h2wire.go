package meshhttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/http1"
	"github.com/weft-mesh/weft/transport/http2"
)

// h2Wire is the upstream of the HTTP/2 engine: all requests to the endpoint share a
// connection or two. What HTTP/2 has no way to say, a change of the protocol on the
// connection, goes over HTTP/1.1, which an endpoint that is a weft understands on the
// same port.
type h2Wire struct {
	client *http2.Client
	plain  *h1Wire
}

var _ upstream = (*h2Wire)(nil)

// newH2Wire makes the wire to ep.
func newH2Wire(ep weft.Endpoint, set ClientSettings, stats *clientStats, recycle bool, spares *http1.Spares) *h2Wire {
	o, d := set.Pool.withDefaults(), newDialler(ep, set)
	d.shook = stats.Shook
	conn := http2.Options{
		LifeTime: o.LifeTime, IdleTimeout: o.IdleTimeout, WriteTimeout: o.WriteTimeout,
		MaxHeaderListBytes: uint32(min(o.MaxHeaderBytes, 1<<30)), //nolint:gosec // bounded
		Received:           stats.Received, Sent: stats.Sent,
	}
	scheme := "http"
	if set.TLS != nil {
		scheme = "https"
	}
	return &h2Wire{
		plain: newH1Wire(ep, set, stats, recycle, spares),
		client: http2.NewClient(http2.ClientOptions{
			Dial: func(ctx context.Context) (net.Conn, error) {
				conn, err := d.dial(ctx, "h2")
				return conn, h2Error(err)
			},
			Conn: conn, Scheme: scheme, Observer: h2Conns{stats},
		}),
	}
}

// h2Error says to the engine what it tells apart.
func h2Error(err error) error {
	if dial, ok := errors.AsType[*dialError](err); ok {
		return &http2.DialError{Err: dial, Handshake: dial.handshake}
	}
	return err
}

// send implements upstream.
func (w *h2Wire) send(req *http.Request, s *sending) (*http.Response, error) {
	if upgradeOf(req.Header) != "" {
		return w.plain.send(req, s)
	}
	s.h2 = &h2Sending{}
	if s.traced {
		s.h2.Written = s.h2.written
	}
	resp, err := w.client.Send(req, &s.h2.Sending)
	if err != nil {
		return nil, w.explain(err)
	}
	// What the caller gets is of the version that it speaks.
	resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1
	return resp, nil
}

// explain turns the engine's errors into those that the mesh tells apart.
func (w *h2Wire) explain(err error) error {
	if connect, ok := errors.AsType[*http2.DialError](err); ok {
		if dial, ok := errors.AsType[*dialError](connect.Err); ok {
			return dial
		}
		return &dialError{err: connect.Err, handshake: connect.Handshake}
	}
	return err
}

// tunnel implements upstream.
func (w *h2Wire) tunnel(req *http.Request) (net.Conn, error) { return w.plain.tunnel(req) }

// Connections implements transport.ConnCounter.
func (w *h2Wire) Connections() (open, idle int) {
	open, idle = w.client.Stats()
	o, i := w.plain.Connections()
	return open + o, idle + i
}

// Close implements upstream.
func (w *h2Wire) Close() error {
	w.client.Drain() // what is under way goes on
	return w.plain.Close()
}

// h2Sending is what the HTTP/2 engine tells of one sending.
type h2Sending struct {
	http2.Sending

	mu    sync.Mutex
	wrote time.Time
}

func (s *h2Sending) written() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = time.Now()
}

func (s *h2Sending) wroteAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrote
}

// h2Conns counts the connections to one endpoint.
type h2Conns struct{ *clientStats }

var _ http2.ClientObserver = h2Conns{}

// Connected implements http2.ClientObserver.
func (c h2Conns) Connected(conn *http2.Conn, took time.Duration) {
	c.clientStats.Connected(took, conn.Secure())
}

// DialFailed implements http2.ClientObserver.
func (c h2Conns) DialFailed(err *http2.DialError, took time.Duration) { c.ConnectFailed(err, took) }

// Disconnected implements http2.ClientObserver.
func (c h2Conns) Disconnected(conn *http2.Conn, err error) { c.Closed(H2ConnEnd(conn, err)) }
