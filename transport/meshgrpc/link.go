package meshgrpc

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/weft-mesh/weft/transport"
)

// link measures the connections to one endpoint. grpc-go makes one after the other, and
// calls of each first dial, then the credentials' ClientHandshake.
type link struct {
	stats *clientStats
	dial  func(ctx context.Context, addr string) (net.Conn, error)
	took  atomic.Int64 // nanoseconds of the last dial, until its handshake has them
}

// connect is what grpc-go dials with, unless the DialOptions of the user say otherwise.
func (l *link) connect(ctx context.Context, addr string) (net.Conn, error) {
	begun := time.Now()
	conn, err := l.dial(ctx, addr)
	took := time.Since(begun)
	l.took.Store(int64(took))
	if err != nil {
		l.stats.ConnectFailed(err, took)
	}
	return conn, err
}

// countedCredentials are credentials whose connections are measured. They are where
// connections are to be had inside TLS.
type countedCredentials struct {
	credentials.TransportCredentials
	link *link
}

// ClientHandshake implements credentials.TransportCredentials.
func (c *countedCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	begun := time.Now()
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	shook := time.Since(begun)
	took := shook + time.Duration(c.link.took.Swap(0))
	stats := c.link.stats
	if err != nil {
		stats.ConnectFailed(err, took)
		return conn, info, err
	}
	secure := c.Info().SecurityProtocol != "insecure"
	stats.Connected(took, secure)
	if secure {
		stats.Shook(shook)
	}
	return &countedConn{Conn: conn, stats: stats, since: time.Now(), secure: secure}, info, nil
}

// Clone implements credentials.TransportCredentials.
func (c *countedCredentials) Clone() credentials.TransportCredentials {
	return &countedCredentials{TransportCredentials: c.TransportCredentials.Clone(), link: c.link}
}

// countedConn is a connection to an endpoint.
type countedConn struct {
	net.Conn
	stats  *clientStats
	since  time.Time
	secure bool
	closed sync.Once

	in, out         atomic.Int64
	reading, writes breakage
}

// Read implements io.Reader.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Add(int64(n))
	c.stats.Received(int64(n))
	c.reading.note(err)
	return n, err
}

// Write implements io.Writer.
func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.out.Add(int64(n))
	c.stats.Sent(int64(n))
	c.writes.note(err)
	return n, err
}

// Close implements io.Closer.
func (c *countedConn) Close() error {
	c.closed.Do(func() {
		c.stats.Closed(transport.ConnEnd{
			Lived: time.Since(c.since), Received: c.in.Load(), Sent: c.out.Load(), Requests: -1, TLS: c.secure,
			ReadErr: c.reading.err(), WriteErr: c.writes.err(),
		})
	})
	return c.Conn.Close()
}
