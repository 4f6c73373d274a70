//go:build unix

package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hello = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\nContent-Length: 12\r\n\r\nhello, world"

// greet answers requests without a body as cheaply as can be, so that measurements are
// of the client.
func greet(tb testing.TB, reply string) (dial func(context.Context) (net.Conn, error)) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				buf, out := make([]byte, 2048), []byte(reply)
				for {
					n, err := c.Read(buf) // a request is one segment here
					if err != nil || n == 0 {
						_ = c.Close()
						return
					}
					if _, err := c.Write(out); err != nil {
						return
					}
				}
			})
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	var d net.Dialer
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) }
}

func request(tb testing.TB, ctx context.Context) *http.Request { //nolint:revive // tb comes first in tests
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://web/path", http.NoBody)
	require.NoError(tb, err)
	req.Header.Set("User-Agent", "test")
	req.Header.Set("Accept", "*/*")
	return req
}

func exchange(tb testing.TB, rt http.RoundTripper, req *http.Request) {
	tb.Helper()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		tb.Fatal(err)
	}
}

// hangupContext is what a Server gives to the requests of a connection.
type hangupContext struct {
	context.Context
	h *hangup
}

func (c hangupContext) Value(key any) any {
	if _, ok := key.(hangupKey); ok {
		return c.h
	}
	return c.Context.Value(key)
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := NewPool(PoolOptions{Dial: greet(t, hello), Recycle: true})
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hctx := hangupContext{ctx, &hangup{done: ctx.Done()}}
	for name, ctx := range map[string]context.Context{"background": context.Background(), "server": hctx} {
		req := request(t, ctx)
		x := &Exchange{}
		got := testing.AllocsPerRun(1000, func() {
			resp, err := p.Send(req, x)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
		t.Logf("%s: %.1f allocations", name, got)
		assert.LessOrEqual(t, got, 2.0, name)
	}
}

func TestIdleConnectionsAreSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const n = 400
	dial := greet(t, hello)
	p := NewPool(PoolOptions{Dial: dial, Recycle: true})
	defer p.Close()
	measure := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc // stacks are reused, so that they say little: the goroutines are counted
	}
	before := measure()
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		conns[i], err = dial(t.Context())
		require.NoError(t, err)
		// One exchange, so that the endpoint has as much in memory as for those of the pool.
		_, err = io.WriteString(conns[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		require.NoError(t, err)
		_, err = io.ReadFull(conns[i], make([]byte, len(hello)))
		require.NoError(t, err)
	}
	bare := measure() - before
	before = measure()
	goroutines := runtime.NumGoroutine()
	p.idle = make([]*poolConn, 0, n)
	for range n {
		c, err := p.dial(t.Context())
		require.NoError(t, err)
		turn := p.spares.turn(p)
		turn.req, turn.ctx, turn.x = request(t, context.Background()), context.Background(), &Exchange{}
		require.NoError(t, turn.plan(nil))
		resp, err := turn.on(c, true)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	used := measure() - before
	t.Logf("%d B for a connection alone, %d B in the pool", bare/n, used/n)
	assert.Len(t, p.idle, n)
	assert.Less(t, used, bare+1024*n)
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines+n, "one for each connection, and that is the endpoint's")
	for _, c := range conns {
		_ = c.Close()
	}
}

func TestSweepClosesDeadConnections(t *testing.T) {
	stop := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		c, _ := l.Accept()
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, hello)
		<-stop
		_ = c.Close()
		close(stop)
	})
	var d net.Dialer
	p := NewPool(PoolOptions{Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) }})
	defer p.Close()
	exchange(t, p, request(t, t.Context()))
	sweep := func(after time.Duration) int {
		p.mu.Lock()
		defer p.mu.Unlock()
		dead := p.overdue(time.Now().Add(after))
		for _, c := range dead {
			_ = c.nc.Close()
		}
		return len(dead)
	}
	assert.Zero(t, sweep(liveness), "it is alive")
	stop <- struct{}{}
	<-stop
	assert.Zero(t, sweep(liveness/2), "it is not looked at so soon")
	require.Eventually(t, func() bool { return sweep(2*liveness+time.Hour) == 1 }, time.Second, time.Millisecond)
	_ = l.Close()
	wg.Wait()
}

type memory struct{ *strings.Reader }

func (memory) Close() error             { return nil }
func (memory) Buffered() ([]byte, bool) { return []byte("hello"), true }

// A request that may not be sent twice is sent again if the connection was closed while
// it was on its way, and not if the endpoint may have read it.
func TestClosedWhileTheRequestTravels(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says what has arrived")
	}
	for _, reads := range []bool{false, true} {
		stop := make(chan struct{})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() {
			c, _ := l.Accept()
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, hello)
			if reads {
				req, _ := http.ReadRequest(r)
				_, _ = io.ReadAll(req.Body)
			} else {
				<-stop
			}
			_ = c.Close()
		})
		var d net.Dialer
		p := NewPool(PoolOptions{Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) }})
		exchange(t, p, request(t, t.Context()))
		c, fresh, err := p.take(t.Context())
		require.NoError(t, err)
		require.False(t, fresh)
		if !reads {
			close(stop)
			require.Eventually(t, func() bool { return !c.alive() }, time.Second, time.Millisecond)
		}
		turn := newTurn(p)
		turn.req = request(t, t.Context())
		turn.req.Method, turn.req.Body, turn.req.ContentLength = http.MethodPost, memory{}, 5
		turn.ctx, turn.x = t.Context(), &Exchange{}
		require.NoError(t, turn.plan(turn.req.Body))
		_, err = turn.on(c, false)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, !reads, turn.stale(err))
		turn.release(false)
		_ = p.Close()
		_ = l.Close()
		wg.Wait()
	}
}

// A Server's hangup interrupts the exchange, with nothing but the connection to tell.
func TestHangup(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	h := &hangup{}
	wg.Go(func() {
		c, _ := l.Accept()
		_, _ = http.ReadRequest(bufio.NewReader(c))
		h.fire()
		_, err := c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
		_ = c.Close()
	})
	var d net.Dialer
	p := NewPool(PoolOptions{Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) }})
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.done = ctx.Done()
	_, err = p.RoundTrip(request(t, hangupContext{ctx, h}))
	require.ErrorIs(t, err, context.Canceled)
	open, _, _ := p.Stats()
	assert.Zero(t, open)
	_ = l.Close()
	wg.Wait()
}

// cpu returns the CPU time of this process so far: what a hop costs, on a machine that
// has other things to do as well.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []struct{ name, reply string }{{"12B", hello}} {
		run := func(name string, parallel bool, rt http.RoundTripper) {
			b.Run(size.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				begun := cpu(b)
				defer func() { b.ReportMetric(float64(cpu(b)-begun)/float64(b.N), "cpu-ns/op") }()
				if !parallel {
					req := request(b, context.Background())
					for b.Loop() {
						exchange(b, rt, req)
					}
					return
				}
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					req := request(b, context.Background())
					for pb.Next() {
						exchange(b, rt, req)
					}
				})
			})
		}
		dial := greet(b, size.reply)
		recycled := NewPool(PoolOptions{Dial: dial, Recycle: true})
		plain := NewPool(PoolOptions{Dial: dial})
		std := &http.Transport{
			DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxIdleConnsPerHost: 100, DisableCompression: true,
		}
		for _, parallel := range []bool{false, true} {
			suffix := ""
			if parallel {
				suffix = "/parallel"
			}
			run("recycle"+suffix, parallel, recycled)
			run("pool"+suffix, parallel, plain)
			run("net-http"+suffix, parallel, std)
		}
		_ = recycled.Close()
		_ = plain.Close()
		std.CloseIdleConnections()
	}
}

// A connection that is given to a waiter at the moment when it gives up is not lost.
func TestGrantToAWaiterThatGivesUp(t *testing.T) {
	p := NewPool(PoolOptions{Dial: greet(t, hello), MaxConns: 1})
	defer p.Close()
	for range 50 {
		c, _, err := p.take(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, _, err := p.take(ctx); err == nil {
				p.put(got)
			}
		})
		require.Eventually(t, func() bool { _, _, waiting := p.Stats(); return waiting == 1 }, time.Second, 10*time.Microsecond)
		p.mu.Lock()
		cancel()
		p.grant(grant{c: c})
		p.mu.Unlock()
		wg.Wait()
		open, idle, waiting := p.Stats()
		require.Equal(t, [3]int{1, 1, 0}, [3]int{open, idle, waiting})
	}
}
