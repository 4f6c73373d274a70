package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// slowly answers after a second.
func slowly(n int, c *memhttp.Conn, r *bufio.Reader) {
	answer(func(*http.Request) string { time.Sleep(time.Second); return ok })(n, c, r)
}

func TestPoolReusesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, always(ok))
		p := e.pool(t, http1.PoolOptions{})
		for range 5 {
			assert.Equal(t, "ok", get(t, p))
		}
		assert.EqualValues(t, 1, e.accepted.Load())
		open, idle, waiting := p.Stats()
		assert.Equal(t, [3]int{1, 1, 0}, [3]int{open, idle, waiting})
	})
}

func TestPoolTakesTheLastUsedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		used := []int{}
		e := play(t, func(n int, c *memhttp.Conn, r *bufio.Reader) {
			answer(func(*http.Request) string {
				mu.Lock()
				used = append(used, n)
				mu.Unlock()
				time.Sleep(time.Duration(n) * time.Second)
				return ok
			})(n, c, r)
		})
		p := e.pool(t, http1.PoolOptions{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { get(t, p) })
			synctest.Wait()
		}
		wg.Wait()
		get(t, p)
		assert.Equal(t, []int{1, 2, 3, 3}, used)
	})
}

func TestPoolLimitsConnectionsAndServesWaitersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, slowly)
		p := e.pool(t, http1.PoolOptions{MaxConns: 2})
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				get(t, p)
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		_, _, waiting := p.Stats()
		assert.Equal(t, 4, waiting)
		begun := time.Now()
		wg.Wait()
		assert.InDelta(t, 3*time.Second, time.Since(begun), float64(50*time.Millisecond))
		assert.Equal(t, []int{0, 1, 2, 3, 4, 5}, order)
		assert.EqualValues(t, 2, e.accepted.Load())
	})
}

func TestPoolLimitsWaiters(t *testing.T) {
	for _, c := range []struct {
		name    string
		waiters int
		fails   int
	}{{"none", -1, 3}, {"two", 2, 1}, {"no limit", 0, 0}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, slowly)
				p := e.pool(t, http1.PoolOptions{MaxConns: 1, MaxWaiters: c.waiters})
				var wg sync.WaitGroup
				var mu sync.Mutex
				failed := 0
				for range 4 {
					wg.Go(func() {
						resp, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
						if err == nil {
							assert.NoError(t, resp.Body.Close())
							return
						}
						assert.ErrorIs(t, err, http1.ErrTooManyWaiters)
						mu.Lock()
						failed++
						mu.Unlock()
					})
					synctest.Wait()
				}
				wg.Wait()
				assert.Equal(t, c.fails, failed)
			})
		})
	}
}

func TestPoolWaiterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, slowly)
		p := e.pool(t, http1.PoolOptions{MaxConns: 1})
		var wg sync.WaitGroup
		wg.Go(func() { get(t, p) })
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("enough"))
		defer cancel()
		var x http1.Exchange
		_, err := p.Send(newRequest(t, http.MethodGet, "").WithContext(ctx), &x)
		require.EqualError(t, err, "enough")
		assert.False(t, x.Sent)
		wg.Wait()
		get(t, p)
		_, _, waiting := p.Stats()
		assert.Zero(t, waiting)
		assert.EqualValues(t, 1, e.accepted.Load())
	})
}

func TestPoolPassesThePlaceOfADeadConnectionOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			_, err := http.ReadRequest(r)
			assert.NoError(t, err)
			time.Sleep(time.Second)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")
		})
		p := e.pool(t, http1.PoolOptions{MaxConns: 1})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { get(t, p) })
		}
		wg.Wait()
		assert.EqualValues(t, 3, e.accepted.Load())
		open, _, _ := p.Stats()
		assert.Zero(t, open)
	})
}

func TestPoolFailedConnectFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := http1.NewPool(http1.PoolOptions{
			MaxConns: 1,
			Dial: func(context.Context) (net.Conn, error) {
				time.Sleep(time.Second)
				return nil, &http1.HandshakeError{Err: errors.New("boom")}
			},
		})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				var x http1.Exchange
				_, err := p.Send(newRequest(t, http.MethodGet, ""), &x)
				connect, ok := errors.AsType[*http1.ConnectError](err)
				if assert.True(t, ok) {
					assert.True(t, connect.Handshake)
				}
				assert.ErrorContains(t, err, "boom")
				assert.False(t, x.Sent)
			})
		}
		wg.Wait()
		require.NoError(t, p.Close())
	})
}

func TestPoolIdleTimeoutKeepsMinIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, slowly)
		p := e.pool(t, http1.PoolOptions{IdleTimeout: 4 * time.Second, MinIdle: 1})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { get(t, p) })
		}
		wg.Wait()
		idle := func() int { synctest.Wait(); _, n, _ := p.Stats(); return n }
		time.Sleep(3 * time.Second)
		assert.Equal(t, 3, idle())
		time.Sleep(1100 * time.Millisecond)
		assert.Equal(t, 1, idle())
		time.Sleep(time.Hour)
		assert.Equal(t, 1, idle())
		get(t, p)
		assert.EqualValues(t, 3, e.accepted.Load())
	})
}

func TestPoolLifeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, slowly)
		p := e.pool(t, http1.PoolOptions{LifeTime: 10 * time.Second})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { get(t, p) })
		}
		wg.Wait()
		idle := func() int { synctest.Wait(); _, n, _ := p.Stats(); return n }
		time.Sleep(7900 * time.Millisecond) // 8.9 s old
		assert.Equal(t, 20, idle())
		time.Sleep(1100 * time.Millisecond) // 10 s old: some are over, some are not
		assert.NotEqual(t, 20, idle())
		assert.NotZero(t, idle())
		time.Sleep(1100 * time.Millisecond)
		assert.Zero(t, idle())
	})
}

func TestPoolMaxIdle(t *testing.T) {
	for _, c := range []struct{ limit, want int }{{0, 4}, {2, 2}, {-1, 0}} {
		synctest.Test(t, func(t *testing.T) {
			e := play(t, slowly)
			p := e.pool(t, http1.PoolOptions{MaxIdle: c.limit})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { get(t, p) })
			}
			wg.Wait()
			open, idle, _ := p.Stats()
			assert.Equal(t, [2]int{c.want, c.want}, [2]int{open, idle})
		})
	}
}

func TestPoolClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, slowly)
		p := e.pool(t, http1.PoolOptions{MaxConns: 1})
		get(t, p)
		var wg sync.WaitGroup
		wg.Go(func() { assert.Equal(t, "ok", get(t, p)) }) // in use: goes on
		synctest.Wait()
		wg.Go(func() {
			_, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
			assert.ErrorIs(t, err, http1.ErrPoolClosed)
		})
		synctest.Wait()
		require.NoError(t, p.Close())
		wg.Wait()
		open, idle, _ := p.Stats()
		assert.Equal(t, [2]int{0, 0}, [2]int{open, idle})
		body := &slowReader{}
		req := newRequest(t, http.MethodPost, "")
		req.Body = body
		_, err := p.RoundTrip(req)
		require.ErrorIs(t, err, http1.ErrPoolClosed)
		assert.EqualValues(t, 1, body.closed.Load())
	})
}

func TestPoolObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, always(ok))
		var connected, closed, received, sent, failed, acquired int64
		p := e.pool(t, http1.PoolOptions{Observer: http1.Observer{
			Connected:     func(net.Conn, time.Duration) { connected++ },
			ConnectFailed: func(err error, _ time.Duration) { failed++; assert.Error(t, err) },
			Acquired:      func(time.Duration) { acquired++ },
			Closed: func(r http1.ConnReport) {
				closed++
				assert.Equal(t, http1.ConnReport{Lived: time.Second, Received: received, Sent: sent, Requests: 2}, r)
			},
			Received: func(n int64) { received += n },
			Sent:     func(n int64) { sent += n },
		}})
		get(t, p)
		get(t, p)
		time.Sleep(time.Second)
		p.CloseIdle()
		assert.EqualValues(t, 1, connected)
		assert.EqualValues(t, 2, acquired)
		assert.EqualValues(t, 1, closed)
		assert.EqualValues(t, 2*len(ok), received)
		assert.EqualValues(t, 2*len("GET /path?q=1 HTTP/1.1\r\nHost: web\r\n\r\n"), sent)
		e.l.Kill()
		_, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
		require.Error(t, err)
		assert.EqualValues(t, 1, failed)
	})
}

func TestPoolTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) { _, _ = io.Copy(c, r) })
		p := e.pool(t, http1.PoolOptions{MaxConns: 1})
		a, err := p.Tunnel(t.Context())
		require.NoError(t, err)
		b, err := p.Tunnel(t.Context())
		require.NoError(t, err)
		_, err = io.WriteString(a, "echo")
		require.NoError(t, err)
		require.NoError(t, a.(interface{ CloseWrite() error }).CloseWrite())
		got, err := io.ReadAll(a)
		require.NoError(t, err)
		assert.Equal(t, "echo", string(got))
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
		open, _, _ := p.Stats()
		assert.Zero(t, open)
	})
}
