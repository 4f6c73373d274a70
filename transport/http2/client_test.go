package http2_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
)

// pipes is a dialler whose connections lead to a Server, in memory.
type pipes struct {
	server *http2.Server
	err    error         // what dialling gives, if it is to fail
	delay  time.Duration // how long dialling takes
	dials  atomic.Int32

	mu   sync.Mutex
	ends []net.Conn
}

func newPipes(t *testing.T, o http2.ServerOptions) *pipes {
	t.Helper()
	p := &pipes{server: http2.NewServer(o)}
	t.Cleanup(func() { _ = p.server.Close() })
	return p
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	p.dials.Add(1)
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.err != nil {
		return nil, p.err
	}
	a, b := net.Pipe()
	p.mu.Lock()
	p.ends = append(p.ends, b)
	p.mu.Unlock()
	go func() { _ = p.server.ServeConn(b) }()
	return a, nil
}

func getRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	return req
}

// try sends a GET request and reads the response.
func try(ctx context.Context, rt http.RoundTripper, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://web"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// gate is a handler that answers when it is opened.
type gate struct {
	open    chan struct{}
	waiting atomic.Int32
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	select {
	case <-g.open:
		_, _ = io.WriteString(w, "open")
	case <-r.Context().Done():
	}
}

func TestClientSharesOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		p.delay = time.Second
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, SpreadStreams: 1000})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				body, err := try(t.Context(), c, "/")
				assert.NoError(t, err)
				assert.Equal(t, "open", body)
			})
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.EqualValues(t, 50, g.waiting.Load())
		assert.EqualValues(t, 1, p.dials.Load(), "one dial serves all that wait")
		close(g.open)
		wg.Wait()
		require.NoError(t, c.Close())
		assert.Zero(t, c.Conns())
	})
}

func TestClientSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, SpreadStreams: 10, MaxConns: 3, SpareIdle: time.Minute})
		var wg sync.WaitGroup
		for range 60 {
			wg.Go(func() { _, err := try(t.Context(), c, "/"); assert.NoError(t, err) })
			synctest.Wait()
		}
		assert.EqualValues(t, 60, g.waiting.Load(), "the share is no limit")
		assert.Equal(t, 3, c.Conns())
		close(g.open)
		wg.Wait()
		time.Sleep(5 * time.Minute)
		assert.Equal(t, 1, c.Conns(), "the spare connections are closed")
		_, err := try(t.Context(), c, "/")
		require.NoError(t, err)
		require.NoError(t, c.Close())
	})
}

func TestClientWaitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g, Conn: http2.Options{MaxConcurrentStreams: 2}})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, MaxConns: 2})
		// The first stream tells the client of the limit.
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { _, err := try(ctx, c, "/"); assert.ErrorIs(t, err, context.Canceled) })
			synctest.Wait()
		}
		assert.EqualValues(t, 4, g.waiting.Load())
		assert.Equal(t, 2, c.Conns())

		var mu sync.Mutex
		var order []int
		for i := range 6 {
			conn, forget := c.Acquire(func(conn *http2.Conn, err error) {
				assert.Nil(t, c.Pick(), "newcomers go behind the one that is being served")
				if assert.NoError(t, err) {
					_, err := conn.Open(nothing{}, head("/"), true)
					assert.NoError(t, err)
					conn.Flush()
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			require.Nil(t, conn)
			if i == 2 {
				forget()
			}
		}
		assert.Nil(t, c.Pick(), "newcomers go behind those that wait")
		synctest.Wait()
		assert.Empty(t, order)
		cancel() // four streams end
		wg.Wait()
		synctest.Wait()
		mu.Lock()
		assert.Equal(t, []int{0, 1, 3, 4}, order)
		mu.Unlock()
		close(g.open)
		synctest.Wait()
		mu.Lock()
		assert.Equal(t, []int{0, 1, 3, 4, 5}, order)
		mu.Unlock()
		require.NoError(t, c.Close())
	})
}

type nothing struct{}

func (nothing) Head(*http2.Stream, []hpack.HeaderField, bool) {}
func (nothing) Data(*http2.Stream, []byte, bool)              {}
func (nothing) Trailer(*http2.Stream, []hpack.HeaderField)    {}
func (nothing) Reset(*http2.Stream, error)                    {}
func (nothing) Sent(*http2.Stream, int)                       {}
func head(path string) []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path}, {Name: ":authority", Value: "web"},
	}
}

func TestClientDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, http2.ServerOptions{Handler: http.NotFoundHandler()})
		p.err = errors.New("no route")
		p.delay = time.Second
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				var s http2.Sending
				_, err := c.Send(getRequest(t, "http://web/"), &s)
				var de *http2.DialError
				assert.ErrorAs(t, err, &de)
				assert.ErrorIs(t, err, p.err)
				assert.False(t, s.Sent)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, p.dials.Load())
		p.err = nil
		_, err := try(t.Context(), c, "/")
		require.NoError(t, err, "the next one tries again")

		require.NoError(t, c.Close())
		_, err = try(t.Context(), c, "/")
		require.ErrorIs(t, err, http2.ErrClosed)
	})
}

func TestClientDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, http2.ServerOptions{Handler: http.NotFoundHandler()})
		p.delay = time.Hour
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, DialTimeout: 3 * time.Second})
		start := time.Now()
		_, err := try(t.Context(), c, "/")
		var de *http2.DialError
		require.ErrorAs(t, err, &de)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = try(ctx, c, "/")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorAs(t, err, &de, "the caller gave up first")
		assert.Equal(t, 4*time.Second, time.Since(start))
		require.NoError(t, c.Close())
	})
}

// TestClientReplacesDraining has the server go away: streams in flight end well, new
// ones go elsewhere.
func TestClientReplacesDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g, Conn: http2.Options{LifeTime: time.Minute}})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, MaxConns: 1})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				body, err := try(t.Context(), c, "/")
				assert.NoError(t, err)
				assert.Equal(t, "open", body)
			})
			time.Sleep(2 * time.Minute)
		}
		assert.EqualValues(t, 3, p.dials.Load())
		assert.EqualValues(t, 3, g.waiting.Load())
		close(g.open)
		wg.Wait()
		require.NoError(t, c.Close())
	})
}

func TestClientRepeatsRefused(t *testing.T) {
	var calls atomic.Int32
	refuse := int32(2)
	accept := func(*http2.Conn) http2.Accept {
		return func(s *http2.Stream, _ []hpack.HeaderField, _ bool) http2.Receiver {
			if calls.Add(1) <= atomic.LoadInt32(&refuse) {
				return nil
			}
			_ = s.SendHead([]hpack.HeaderField{{Name: ":status", Value: "204"}}, true)
			return nothing{}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, http2.ServerOptions{Accept: accept})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var s http2.Sending
		resp, err := c.Send(getRequest(t, "http://web/"), &s)
		require.NoError(t, err)
		assert.Equal(t, 204, resp.StatusCode)
		assert.True(t, s.Sent)
		assert.EqualValues(t, 3, calls.Load())

		atomic.StoreInt32(&refuse, 1000)
		_, err = c.Send(getRequest(t, "http://web/"), &s)
		require.Error(t, err)
		assert.True(t, http2.Unprocessed(err))
		assert.False(t, s.Sent, "the peer proved it")
		assert.EqualValues(t, 6, calls.Load())

		// A body that cannot be had again.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://web/", io.LimitReader(rand.NewChaCha8([32]byte{}), 10))
		require.NoError(t, err)
		_, err = c.RoundTrip(req)
		require.Error(t, err)
		assert.EqualValues(t, 7, calls.Load())
		require.NoError(t, c.Close())
	})
}

func TestClientCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("changed my mind")
		go func() {
			time.Sleep(time.Second)
			assert.EqualValues(t, 1, g.waiting.Load())
			cancel(cause)
		}()
		_, err := try(ctx, c, "/")
		require.ErrorIs(t, err, cause)
		synctest.Wait()
		assert.Zero(t, g.waiting.Load(), "the handler's context is cancelled")
		require.NoError(t, c.Close())
	})
}

// TestClientCancelsBody ends the context while the body is read, and while nobody reads.
func TestClientCancelsBody(t *testing.T) {
	for _, reading := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan error, 1)
			p := newPipes(t, http2.ServerOptions{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
			})})
			c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := c.RoundTrip(getRequest(t, "http://web/").WithContext(ctx))
			require.NoError(t, err)
			defer resp.Body.Close()
			time.AfterFunc(time.Second, cancel)
			if reading {
				_, err = io.ReadAll(resp.Body)
				require.ErrorIs(t, err, context.Canceled)
			}
			var reset *http2.ResetError
			require.ErrorAs(t, <-ended, &reset)
			assert.Equal(t, xhttp2.ErrCodeCancel, reset.Code)
			require.NoError(t, c.Close())
		})
	}
}

func TestClientBodyClosedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		p := newPipes(t, http2.ServerOptions{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		})})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		resp, err := c.RoundTrip(getRequest(t, "http://web/"))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		<-ended
		require.NoError(t, c.Close())
	})
}

func TestClientCloseWaitsForStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var wg sync.WaitGroup
		wg.Go(func() { _, err := try(t.Context(), c, "/"); assert.NoError(t, err) })
		synctest.Wait()
		closed := make(chan struct{})
		go func() { defer close(closed); assert.NoError(t, c.Close()) }()
		time.Sleep(time.Hour)
		select {
		case <-closed:
			t.Fatal("the stream has not ended")
		default:
		}
		close(g.open)
		wg.Wait()
		<-closed
	})
}

func TestClientShutdownCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := try(t.Context(), c, "/")
			var lost *http2.ConnError
			assert.ErrorAs(t, err, &lost)
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
		wg.Wait()
	})
}

// TestClientUnderFire kills connections under many callers: each gets an answer or an
// error, nobody waits for ever, nothing is left behind.
func TestClientUnderFire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, http2.ServerOptions{
			Conn: http2.Options{MaxConcurrentStreams: 8, LifeTime: 300 * time.Millisecond},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
				_, _ = io.WriteString(w, strings.Repeat(r.URL.Path, 100))
			}),
		})
		p.delay = 5 * time.Millisecond
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial, MaxConns: 3, SpreadStreams: 6, SpareIdle: 50 * time.Millisecond})
		stop := make(chan struct{})
		var killer sync.WaitGroup
		killer.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(30 * time.Millisecond):
				}
				p.mu.Lock()
				if n := len(p.ends); n > 0 {
					i := rand.IntN(n)
					_ = p.ends[i].Close()
					p.ends = append(p.ends[:i], p.ends[i+1:]...)
				}
				p.mu.Unlock()
			}
		})
		var wg sync.WaitGroup
		var good, bad, late atomic.Int32
		for range 60 {
			wg.Go(func() {
				for range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+rand.IntN(200))*time.Millisecond)
					body, err := try(ctx, c, "/abc")
					cancel()
					switch {
					case err == nil:
						assert.Equal(t, strings.Repeat("/abc", 100), body)
						good.Add(1)
					case errors.Is(err, context.DeadlineExceeded):
						late.Add(1)
					default:
						bad.Add(1)
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		killer.Wait()
		t.Logf("%d good, %d lost, %d late, %d dials", good.Load(), bad.Load(), late.Load(), p.dials.Load())
		assert.Greater(t, good.Load(), int32(500))
		_, err := try(t.Context(), c, "/abc")
		require.NoError(t, err)
		require.NoError(t, c.Close())
	})
}
