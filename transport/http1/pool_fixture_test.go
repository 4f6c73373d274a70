package http1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

const addr = "10.0.0.1:80"

// endpoint is a server in memory that does to its connections what a test says.
type endpoint struct {
	net      memhttp.Network
	l        *memhttp.Listener
	wg       sync.WaitGroup
	accepted atomic.Int32
}

// play runs f for each connection, which is closed when f returns.
func play(t *testing.T, f func(n int, c *memhttp.Conn, r *bufio.Reader)) *endpoint {
	t.Helper()
	e := &endpoint{}
	l, err := e.net.Listen(addr)
	require.NoError(t, err)
	e.l = l
	e.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := int(e.accepted.Add(1))
			e.wg.Go(func() {
				c := conn.(*memhttp.Conn)
				defer c.Close()
				f(n, c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(e.close)
	return e
}

func (e *endpoint) close() {
	e.l.Kill()
	e.wg.Wait()
}

// dial is a PoolOptions.Dial.
func (e *endpoint) dial(ctx context.Context) (net.Conn, error) { return e.net.Dial(ctx, addr) }

// pool returns a pool to e.
func (e *endpoint) pool(t *testing.T, o http1.PoolOptions) *http1.Pool {
	t.Helper()
	o.Dial = e.dial
	p := http1.NewPool(o)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// answer serves requests with reply(req), raw, until the caller goes or close is said.
func answer(reply func(req *http.Request) string) func(int, *memhttp.Conn, *bufio.Reader) {
	return func(_ int, c *memhttp.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			if _, err := io.WriteString(c, reply(req)); err != nil || req.Close {
				return
			}
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func always(reply string) func(int, *memhttp.Conn, *bufio.Reader) {
	return answer(func(*http.Request) string { return reply })
}

func newRequest(tb testing.TB, method, body string) *http.Request {
	tb.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://web/path?q=1", r)
	require.NoError(tb, err)
	return req
}

// get sends a GET and returns the body.
func get(tb testing.TB, p http.RoundTripper) string {
	tb.Helper()
	return do(tb, p, newRequest(tb, http.MethodGet, ""))
}

func do(tb testing.TB, p http.RoundTripper, req *http.Request) string {
	tb.Helper()
	resp, err := p.RoundTrip(req)
	require.NoError(tb, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	require.NoError(tb, resp.Body.Close())
	return string(b)
}

// slowReader gives its parts with a pause before each; closed counts.
type slowReader struct {
	parts  []string
	pause  time.Duration
	closed atomic.Int32
	during atomic.Bool // Read is running
	reads  atomic.Int32
}

func (r *slowReader) Read(p []byte) (int, error) {
	r.during.Store(true)
	defer r.during.Store(false)
	r.reads.Add(1)
	time.Sleep(r.pause)
	if len(r.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.parts[0])
	r.parts = r.parts[1:]
	return n, nil
}

func (r *slowReader) Close() error {
	if r.during.Load() {
		panic("closed during a Read")
	}
	r.closed.Add(1)
	return nil
}
