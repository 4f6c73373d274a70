package meshgrpc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/transport"
)

// upstream is the connection to one endpoint. The ClientConn is made with the
// first call, as the balancer may never choose the endpoint. It lives as long as
// the endpoint's handle: calls under way when discovery drops the endpoint end in
// peace.
type upstream struct {
	mesh  *Mesh
	addr  string
	local string // an answer that is given without asking anybody
	state *clientState

	cc     atomic.Pointer[grpc.ClientConn]
	mu     sync.Mutex
	closed bool
}

// conn returns the ClientConn.
func (u *upstream) conn() (*grpc.ClientConn, error) {
	if cc := u.cc.Load(); cc != nil {
		return cc, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if cc := u.cc.Load(); cc != nil {
		return cc, nil
	}
	if u.closed {
		return nil, transport.ErrClosed
	}
	// The address is literal: nothing is left to resolve.
	cc, err := grpc.NewClient("passthrough:///"+u.addr, u.mesh.dialOptions(u.state)...)
	if err != nil {
		return nil, err
	}
	if !u.mesh.opened(u) {
		return nil, errors.Join(transport.ErrClosed, cc.Close())
	}
	u.cc.Store(cc)
	return cc, nil
}

// Connections implements transport.ConnCounter. There is one connection at most, which
// all calls share; the router knows when there are none.
func (u *upstream) Connections() (open, idle int) {
	if cc := u.cc.Load(); cc != nil && cc.GetState() == connectivity.Ready {
		return 1, 0
	}
	return 0, 0
}

// Close implements io.Closer. It returns at once, since it is called by whoever
// ends the endpoint's last call and saying good-bye to a dead peer takes time; the
// Mesh waits for it.
func (u *upstream) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil
	}
	u.closed = true
	if cc := u.cc.Load(); cc != nil {
		u.mesh.ended(u, cc)
	}
	return nil
}

// opened takes note of a new ClientConn, unless the mesh is closed.
func (m *Mesh) opened(u *upstream) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed.Load() {
		return false
	}
	m.open[u] = struct{}{}
	return true
}

// ended closes the ClientConn of u.
func (m *Mesh) ended(u *upstream, cc *grpc.ClientConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, u)
	m.ending.Go(func() { _ = cc.Close() }) // fails only when closed already
}

// clientState is what this package keeps per bound name.
type clientState struct {
	ClientSettings
	plaintext bool
	stats     *clientStats // made with the first endpoint; nil: nobody measures
}

// dialOptions are those of one endpoint of a client.
func (m *Mesh) dialOptions(s *clientState) []grpc.DialOption {
	creds := s.Credentials
	if creds == nil {
		creds = m.opts.Credentials
	}
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	dial := m.opts.Dial
	if s.stats != nil {
		l := &link{stats: s.stats, dial: dial}
		creds, dial = &countedCredentials{TransportCredentials: creds, link: l}, l.connect
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(dial),
		// One of each in a process: the balancer and the retry loop are the mesh's.
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"pick_first":{}}]}`),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		// What an endpoint that came back is waited for. Breakers, not this, keep
		// calls away from it.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: m.opts.ConnectTimeout,
		}),
		// No transparent retry of what was sent: another endpoint may do better.
		grpc.WithDefaultCallOptions(grpc.MaxRetryRPCBufferSize(0)),
	}
	opts = append(opts, m.opts.DialOptions...)
	return append(opts, s.DialOptions...)
}

// answer is what an endpoint that exists only in the mesh says: "http.status/404"
// becomes the code that a gRPC client gives that HTTP status.
func answer(local string) error {
	text, _ := strings.CutPrefix(local, "http.status/")
	n, err := strconv.Atoi(text)
	if err != nil {
		return status.Errorf(codes.Internal, "meshgrpc: unknown local answer %q", local)
	}
	c := codes.Unknown
	switch n {
	case http.StatusBadRequest:
		c = codes.Internal
	case http.StatusUnauthorized:
		c = codes.Unauthenticated
	case http.StatusForbidden:
		c = codes.PermissionDenied
	case http.StatusNotFound:
		c = codes.Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		c = codes.Unavailable
	}
	return status.Errorf(c, "the dtab answers with HTTP status %d (%s)", n, http.StatusText(n))
}

// remains reports whether ctx leaves any time.
func remains(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	at, ok := ctx.Deadline()
	return !ok || time.Until(at) > 0
}
