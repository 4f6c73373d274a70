package meshhttp

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/http1"
)

// h1Wire is the upstream of the HTTP/1.1 engine: a pool of connections to one
// endpoint.
type h1Wire struct {
	pool    *http1.Pool
	stats   *clientStats
	recycle bool
	dial    func(ctx context.Context) (net.Conn, error)
}

var _ upstream = (*h1Wire)(nil)

// newH1Wire makes the wire to ep; all of a mesh share spares.
func newH1Wire(ep weft.Endpoint, set ClientSettings, stats *clientStats, recycle bool, spares *http1.Spares) *h1Wire {
	o, d := set.Pool.withDefaults(), newDialler(ep, set)
	d.shook = stats.Shook
	w := &h1Wire{recycle: recycle, stats: stats, dial: func(ctx context.Context) (net.Conn, error) { return d.dial(ctx) }}
	pool := http1.PoolOptions{
		Dial:           w.dial,
		Recycle:        recycle,
		Spares:         spares,
		MaxConns:       o.MaxSize,
		MaxWaiters:     o.MaxWaiters,
		MinIdle:        o.MinSize,
		IdleTimeout:    o.IdleTimeout,
		LifeTime:       o.LifeTime,
		ReadTimeout:    o.ReadTimeout,
		WriteTimeout:   o.WriteTimeout,
		MaxHeaderBytes: int(o.MaxHeaderBytes),
		Observer:       stats.observer(),
	}
	w.pool = http1.NewPool(pool)
	stats.join(w.pool)
	return w
}

// send implements upstream.
func (w *h1Wire) send(req *http.Request, s *sending) (*http.Response, error) {
	s.h1.Timed = s.traced
	resp, err := w.pool.Send(req, &s.h1)
	if err != nil {
		return nil, w.explain(err)
	}
	if w.recycle && resp.StatusCode != http.StatusSwitchingProtocols {
		// A timer of the connect timeout, which ends at the very moment when the connection is
		// there, may yet look at the request's context.
		s.clean = !s.h1.Fresh
		s.body.ReadCloser, s.body.whole = resp.Body, http1.InMemory(resp.Body)
		s.body.closed.Store(false)
		resp.Body = &s.body
	}
	return resp, nil
}

// explain turns the engine's errors into those that the mesh tells apart.
func (w *h1Wire) explain(err error) error {
	if errors.Is(err, http1.ErrTooManyWaiters) {
		return errTooManyWaiters
	}
	if connect, ok := errors.AsType[*http1.ConnectError](err); ok {
		if _, ok := errors.AsType[*dialError](connect.Err); ok {
			return connect.Err
		}
		return &dialError{err: connect.Err, handshake: connect.Handshake}
	}
	return err
}

// tunnel implements upstream.
func (w *h1Wire) tunnel(req *http.Request) (net.Conn, error) {
	conn, err := w.pool.Tunnel(req.Context())
	if err != nil {
		return nil, w.explain(err)
	}
	return conn, nil
}

// Connections implements transport.ConnCounter.
func (w *h1Wire) Connections() (open, idle int) {
	open, idle, _ = w.pool.Stats()
	return open, idle
}

// Close implements upstream.
func (w *h1Wire) Close() error {
	w.stats.leave(w.pool)
	return w.pool.Close()
}
