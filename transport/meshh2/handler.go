package meshh2

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// ServerOptions configure a Handler: what Linkerd's servers section says of one
// listener.
type ServerOptions struct {
	// Relay takes the requests on. It is required.
	Relay *Relay
	// Label is the router's, for texts and spans.
	Label string
	// ClearContext removes every l5d-* field of a request before anything reads it, and
	// of a response, whose body goes too if it was an error of the mesh. It is for
	// listeners that outsiders reach.
	ClearContext bool
	// Forwarded adds a forwarded field; nil adds none.
	Forwarded *meshhttp.Forwarded
	// MaxCallDepth is how many hops a request may have in via; zero means 1000.
	MaxCallDepth int
	// MaxConcurrent bounds the requests under way; zero is no bound. There is no
	// queue: what is too much is refused with REFUSED_STREAM.
	MaxConcurrent int
	// Timeout limits the time until a response begins; zero is no limit.
	Timeout time.Duration
	// Metrics is the scope rt/<label>/server/<ip>/<port>; nil records nothing.
	Metrics *telemetry.Scope
}

// Handler serves the streams of a listener's connections through a Relay. It is
// safe for concurrent use.
type Handler struct {
	opts   ServerOptions
	rules  Inbound
	stats  *serverStats
	active atomic.Int64
}

// NewHandler returns a Handler.
func NewHandler(opts ServerOptions) *Handler {
	return &Handler{opts: opts, stats: newServerStats(opts.Metrics), rules: Inbound{
		ClearContext: opts.ClearContext, Forwarded: opts.Forwarded, MaxCallDepth: opts.MaxCallDepth,
		Propagation: opts.Relay.opts.Propagation,
		Tracers:     opts.Relay.opts.Tracers,
	}}
}

// Accept returns what accepts the streams of one connection, as http2.Server wants
// it.
func (h *Handler) Accept(c *http2.Conn) http2.Accept {
	nc := c.NetConn()
	p := &peer{h: h, conn: c, local: nc.LocalAddr(), remote: nc.RemoteAddr(), ctx: context.Background()}
	if h.opts.Forwarded != nil {
		p.ctx = meshhttp.WithConnLabel(p.ctx, nc)
	}
	if s, ok := nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := s.ConnectionState()
		p.tls = &state
	}
	return p.accept
}

// peer is one caller's connection, with what all its requests have in common.
type peer struct {
	h             *Handler
	conn          *http2.Conn
	local, remote net.Addr
	ctx           context.Context      //nolint:containedctx // the connection's, for labels
	tls           *tls.ConnectionState // nil: cleartext
	alarm         alarm
}

// accept begins an exchange for a stream.
func (p *peer) accept(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
	r := p.h.opts.Relay
	x := r.exchange()
	x.mu.Lock()
	defer x.unlock()
	x.h, x.r, x.peer, x.in, x.begun = p.h, r, p, s, time.Now()
	x.begin(fields, end)
	return x
}
