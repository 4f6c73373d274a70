package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// listen runs f for each connection to a port of this machine.
func listen(tb testing.TB, f func(c *net.TCPConn)) (dial func(context.Context) (net.Conn, error)) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			wg.Go(func() {
				f(c.(*net.TCPConn))
				_ = c.Close()
				mu.Lock()
				delete(conns, c)
				mu.Unlock()
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	var d net.Dialer
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) }
}

// An endpoint that closes connections while they are idle, at random moments, never
// makes a request fail: not one that may be sent again, because it is, even if it was on
// its way at that moment; and not another, because a connection that was closed is not
// used for it.
func TestIdleConnectionsThatTheEndpointClosesNeverSurface(t *testing.T) {
	for _, c := range []struct {
		method string
		calm   bool // connections are closed while no request is under way
	}{{http.MethodGet, false}, {http.MethodPut, false}, {http.MethodPost, true}} {
		t.Run(c.method, func(t *testing.T) {
			var reset atomic.Int64
			var busy sync.RWMutex
			dial := listen(t, func(c2 *net.TCPConn) {
				r := bufio.NewReader(c2)
				first := true
				for {
					idle := time.Duration(rand.Int64N(int64(3 * time.Millisecond)))
					if !first { // a connection that was just made is not idle
						_ = c2.SetReadDeadline(time.Now().Add(idle))
					}
					first = false
					if _, err := r.Peek(1); err != nil {
						if c.calm && !busy.TryLock() {
							continue
						}
						if reset.Add(1)%2 == 0 {
							_ = c2.SetLinger(0)
						}
						_ = c2.Close()
						if c.calm {
							busy.Unlock()
						}
						return
					}
					_ = c2.SetReadDeadline(time.Time{})
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					if _, err := io.WriteString(c2, ok); err != nil {
						return
					}
				}
			})
			var dials, resent atomic.Int64
			p := http1.NewPool(http1.PoolOptions{Dial: func(ctx context.Context) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx)
			}})
			defer p.Close()
			var wg sync.WaitGroup
			end := time.Now().Add(time.Second)
			for range 8 {
				wg.Go(func() {
					for time.Now().Before(end) || dials.Load() <= 16 {
						body := ""
						if c.method != http.MethodGet {
							body = "hello"
						}
						var x http1.Exchange
						if c.calm {
							busy.RLock()
						}
						resp, err := p.Send(newRequest(t, c.method, body), &x)
						if !assert.NoError(t, err) {
							if c.calm {
								busy.RUnlock()
							}
							return
						}
						if x.Resent {
							resent.Add(1)
						}
						_, err = io.Copy(io.Discard, resp.Body)
						assert.NoError(t, err)
						_ = resp.Body.Close()
						if c.calm {
							busy.RUnlock()
						}
						time.Sleep(time.Duration(rand.Int64N(int64(4 * time.Millisecond))))
					}
				})
			}
			wg.Wait()
			assert.Greater(t, dials.Load(), int64(16), "connections did die")
			t.Logf("%d connections, %d sent again", dials.Load(), resent.Load())
		})
	}
}

// A response that nobody asked for is not the answer to the next request.
func TestUnaskedBytesOnIdleConnections(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		t.Run(method, func(t *testing.T) {
			var n atomic.Int32
			sent := make(chan struct{})
			dial := listen(t, func(c *net.TCPConn) {
				r := bufio.NewReader(c)
				first := n.Add(1) == 1
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(c, ok)
					if first {
						time.Sleep(20 * time.Millisecond) // until the connection is idle
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
						close(sent)
					}
				}
			})
			p := http1.NewPool(http1.PoolOptions{Dial: dial})
			defer p.Close()
			do(t, p, newRequest(t, http.MethodPost, "GET /smuggled"))
			<-sent
			time.Sleep(5 * time.Millisecond)
			assert.Equal(t, "ok", do(t, p, newRequest(t, method, "")))
			assert.EqualValues(t, 2, n.Load())
		})
	}
}

// pattern is a body that is not the same everywhere.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// Large bodies between TCP connections, which the kernel moves, arrive whole.
func TestSplicedBodies(t *testing.T) {
	body := pattern(3<<20 + 17)
	dial := listen(t, func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			got, _ := io.ReadAll(req.Body)
			sum := sha256.Sum256(got)
			if req.URL.RawQuery == "close" {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nSum: %x\r\n\r\n", sum)
			} else {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nSum: %x\r\nContent-Length: %d\r\n\r\n", sum, len(body))
			}
			_, _ = c.Write(body)
			if req.URL.RawQuery == "close" {
				return
			}
		}
	})
	var received, sent atomic.Int64
	p := http1.NewPool(http1.PoolOptions{Dial: dial, Observer: http1.Observer{
		Received: func(n int64) { received.Add(n) }, Sent: func(n int64) { sent.Add(n) },
	}})
	defer p.Close()
	for _, query := range []string{"", "", "close"} {
		// The body comes from a connection and goes to one.
		toUs := listen(t, func(c *net.TCPConn) { _, _ = c.Write(body) })
		src, err := toUs(t.Context())
		require.NoError(t, err)
		sinkDone := make(chan []byte, 1)
		toSink := listen(t, func(c *net.TCPConn) { b, _ := io.ReadAll(c); sinkDone <- b })
		dst, err := toSink(t.Context())
		require.NoError(t, err)

		req := newRequest(t, http.MethodPut, "")
		req.URL.RawQuery = query
		req.Body, req.ContentLength = spliceBody{src, int64(len(body))}, int64(len(body))
		resp, err := p.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(body)), resp.Header.Get("Sum"))
		n, err := io.Copy(dst, resp.Body)
		require.NoError(t, err)
		assert.EqualValues(t, len(body), n)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, dst.Close())
		assert.True(t, bytes.Equal(body, <-sinkDone))
		require.NoError(t, src.Close())
	}
	_, idle, _ := p.Stats()
	assert.Equal(t, 0, idle, "the last one was until close")
	assert.Greater(t, received.Load(), int64(3*len(body)))
	assert.Greater(t, sent.Load(), int64(3*len(body)))
}

// spliceBody writes itself as the body of a Server's request does.
type spliceBody struct {
	net.Conn
	n int64
}

func (b spliceBody) WriteTo(w io.Writer) (int64, error) {
	return w.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: b.Conn, N: b.n})
}
func (b spliceBody) Close() error { return nil }

// A tunnel is a net.Conn, on which several goroutines may write; the race detector and
// the sums say so.
func TestTunnelsAreForManyGoroutines(t *testing.T) {
	const writers, times, size = 8, 50, 1000
	sums := make(chan int64, 1)
	dial := listen(t, func(c *net.TCPConn) {
		n, _ := io.Copy(io.Discard, c)
		sums <- n
	})
	var sent atomic.Int64
	p := http1.NewPool(http1.PoolOptions{Dial: dial, Observer: http1.Observer{Sent: func(n int64) { sent.Add(n) }}})
	defer p.Close()
	conn, err := p.Tunnel(t.Context())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range times {
				n, err := conn.Write(make([]byte, size))
				assert.NoError(t, err)
				assert.Equal(t, size, n)
			}
		})
	}
	wg.Wait()
	require.NoError(t, conn.Close())
	assert.EqualValues(t, writers*times*size, <-sums)
	assert.EqualValues(t, writers*times*size, sent.Load())
}

// Programs that wait for each other by way of connections of ours have no race for the
// detector to find: it knows that what was written was read after that.
func TestConnectionsOrderMemory(t *testing.T) {
	var plain int // is written by the handler and read by the caller, without a lock
	s := http1.NewServer(http1.ServerOptions{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { plain++ })})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	tr := &http1.Transport{}
	defer tr.Close()
	for i := range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
		require.NoError(t, err)
		do(t, tr, req)
		assert.Equal(t, i+1, plain)
	}
}
