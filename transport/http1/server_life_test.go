package http1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
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

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/transport/http1"
)

const plainGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// TestServerShutdown has a connection in every state when the server is shut down.
func TestServerShutdown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string        // Shutdown
		idle          time.Duration // between them
		want          string
		takes         time.Duration
	}{
		"nothing sent":            {"", "", 0, "", 0},
		"nothing sent for long":   {"", "", time.Minute, "", 0},
		"idle":                    {plainGet, "", 10 * time.Millisecond, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
		"idle for long":           {plainGet, "", time.Minute, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
		"in the head":             {"GET / HT", "TP/1.1\r\nHost: h\r\n\r\n", 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", time.Second},
		"in the head for ever":    {"GET / HT", "", 0, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", time.Minute + time.Second},
		"in the handler":          {"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", "", 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 10 * time.Second},
		"in the body":             {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na", "bc", 0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", time.Second},
		"pipelined":               {"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n" + plainGet, "", 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 10 * time.Second},
		"answering a bad request": {"x\r\n\r\n", "", 10 * time.Millisecond, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 990 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, o http1.ServerOptions) {
				t.Helper()
				s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slow" {
						time.Sleep(10 * time.Second)
					}
					body, _ := io.ReadAll(r.Body)
					w.Write(body)
				})
				caller := dial(t, s)
				caller.send(c.before)
				time.Sleep(c.idle)
				synctest.Wait()
				if c.after != "" {
					time.AfterFunc(time.Second, func() { caller.send(c.after) })
				}
				begun := time.Now()
				require.NoError(t, s.Shutdown(context.Background()))
				assert.Equal(t, c.takes, time.Since(begun))
				all, err := io.ReadAll(caller.br)
				assert.NoError(t, err)
				assert.Equal(t, c.want, string(all))
			})
		})
	}
}

func TestServerShutdownCannotWait(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		c := dial(t, s)
		c.send(plainGet)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
		require.NoError(t, s.Close())
		c.closed()
		c = dial(t, s)
		c.closed()
	})
}

func TestServerServeEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var network memhttp.Network
		l, err := network.Listen("10.0.0.1:80")
		require.NoError(t, err)
		s := newServer(t, http1.ServerOptions{}, func(http.ResponseWriter, *http.Request) {})
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return network.Dial(ctx, addr)
		}}}
		defer client.CloseIdleConnections()
		resp, err := client.Get("http://10.0.0.1:80/")
		require.NoError(t, err)
		resp.Body.Close()
		require.NoError(t, s.Shutdown(context.Background()))
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		assert.ErrorIs(t, s.Serve(l), http.ErrServerClosed)
	})
}

// counts is what an observer has heard.
type counts struct {
	mu             sync.Mutex
	opened         int
	reasons        []http1.CloseReason
	lived          time.Duration
	last           http1.ConnReport
	received, sent int64
}

func (c *counts) observer() http1.ServerObserver {
	with := func(f func()) { c.mu.Lock(); defer c.mu.Unlock(); f() }
	return http1.ServerObserver{
		Opened: func(net.Conn) { with(func() { c.opened++ }) },
		Closed: func(r http1.ConnReport) {
			with(func() { c.reasons = append(c.reasons, r.Reason); c.lived, c.last = r.Lived, r })
		},
		Received: func(n int64) { with(func() { c.received += n }) },
		Sent:     func(n int64) { with(func() { c.sent += n }) },
	}
}

func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	const last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	const timeout = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		o      http1.ServerOptions
		send   []string // one each second
		want   string
		after  time.Duration
		reason http1.CloseReason
	}{
		"idle":             {http1.ServerOptions{IdleTimeout: 5 * time.Second}, []string{plainGet, plainGet}, ok + ok, 6 * time.Second, http1.ClosedIdle},
		"idle, short":      {http1.ServerOptions{IdleTimeout: 100 * time.Millisecond}, []string{plainGet}, ok, 100 * time.Millisecond, http1.ClosedIdle},
		"idle, never used": {http1.ServerOptions{IdleTimeout: 5 * time.Second}, nil, "", 5 * time.Second, http1.ClosedIdle},
		"life":             {http1.ServerOptions{LifeTime: 5 * time.Second}, []string{plainGet, plainGet}, ok + ok, 5 * time.Second, http1.ClosedByLife},
		"life, busy":       {http1.ServerOptions{LifeTime: 1500 * time.Millisecond}, []string{plainGet, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"}, ok + last, 11 * time.Second, http1.ClosedByLife},
		"slow head":        {http1.ServerOptions{HeadTimeout: 3500 * time.Millisecond}, []string{"G", "ET", " / HTTP/1.1\r\n", "X: y\r\n", "X", ":", "y"}, timeout, 3500 * time.Millisecond, http1.ClosedOther},
		"slow body":        {http1.ServerOptions{ReadTimeout: 2 * time.Second}, []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", "a", "b"}, last, 4 * time.Second, http1.ClosedOther},
		"steady body":      {http1.ServerOptions{ReadTimeout: 2 * time.Second, IdleTimeout: time.Second}, []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n", "a", "b", "c", "d"}, ok, 5 * time.Second, http1.ClosedIdle},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, o http1.ServerOptions) {
				t.Helper()
				c := c
				c.o.NoDate, c.o.Recycle = o.NoDate, o.Recycle
				var heard counts
				c.o.Observer = heard.observer()
				s := newServer(t, c.o, func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slow" {
						time.Sleep(10 * time.Second)
					}
					io.Copy(io.Discard, r.Body)
				})
				defer s.Close()
				begun := time.Now()
				caller := dial(t, s)
				var n atomic.Int64
				go func() {
					for _, text := range c.send {
						if _, err := io.WriteString(caller.Conn, text); err != nil {
							return
						}
						n.Add(int64(len(text)))
						time.Sleep(time.Second)
					}
				}()
				all, err := io.ReadAll(caller.br)
				caller.Conn.Close()
				assert.NoError(t, err)
				assert.Equal(t, c.want, string(all))
				assert.Equal(t, c.after, time.Since(begun).Round(10*time.Millisecond))
				require.NoError(t, s.Close())
				time.Sleep(10 * time.Second)
				assert.Equal(t, 1, heard.opened)
				assert.Equal(t, []http1.CloseReason{c.reason}, heard.reasons)
				assert.EqualValues(t, len(all), heard.sent)
				if !strings.Contains(name, "slow") {
					assert.Equal(t, n.Load(), heard.received)
				}
			})
		})
	}
}

func TestServerWriteTimeout(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		o.WriteTimeout = 3 * time.Second
		done := make(chan time.Duration, 1)
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			begun := time.Now()
			buf := make([]byte, 1<<20)
			for {
				if _, err := w.Write(buf); err != nil {
					break
				}
			}
			assert.Error(t, r.Context().Err())
			done <- time.Since(begun)
		})
		defer s.Close()
		c := dial(t, s)
		c.send(plainGet)
		assert.Equal(t, 3*time.Second, <-done)
	})
}

// session is another protocol: it echoes until it is drained.
type session struct {
	net.Conn
	drained chan struct{}
}

func (s *session) Serve() error {
	go func() {
		<-s.drained
		s.Conn.SetReadDeadline(time.Unix(1, 0))
	}()
	_, err := io.Copy(s.Conn, s.Conn)
	return err
}

func (s *session) Drain() { close(s.drained) }

func TestServerPreface(t *testing.T) {
	t.Parallel()
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		o.Preface = func(c net.Conn) http1.Session { return &session{c, make(chan struct{})} }
		s := newServer(t, o, func(http.ResponseWriter, *http.Request) {})
		c := dial(t, s)
		for _, part := range []string{preface[:5], preface[5:], " and more"} {
			c.send(part)
			synctest.Wait()
		}
		c.only(preface + " and more")
		c.send("x")
		c.only("x")
		other := dial(t, s)
		other.send("PRI")
		synctest.Wait()
		other.send("NT / HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, _ := other.response("PRINT")
		assert.Equal(t, 200, resp.StatusCode)
		other.send(preface) // too late for that
		resp, _ = other.response("PRI")
		assert.Equal(t, 505, resp.StatusCode)
		require.NoError(t, s.Shutdown(context.Background()))
		c.closed()
	})
}

func TestServerTLS(t *testing.T) {
	t.Parallel()
	ca, today := testcert.New(t, "ca", nil), time.Now() // not the bubble's
	serverSide := ca.Issue(t, "server", "server").Config(t)
	serverSide.NextProtos = []string{"h2", "http/1.1"}
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		var heard counts
		o.Observer = heard.observer()
		o.Preface = func(c net.Conn) http1.Session { return &session{c, make(chan struct{})} }
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			assert.NotNil(t, r.TLS)
			io.WriteString(w, r.TLS.ServerName)
		})
		connect := func(protocol string) *tls.Conn {
			a, b := memhttp.Pipe(place("caller"), place("server"))
			go s.ServeConn(tls.Server(b, serverSide))
			c := tls.Client(a, &tls.Config{RootCAs: ca.Pool(), ServerName: "server", NextProtos: []string{protocol}, Time: func() time.Time { return today }})
			require.NoError(t, c.HandshakeContext(t.Context()))
			return c
		}
		c := &raw{t: t, Conn: nil}
		h1 := connect("http/1.1")
		c.br = bufio.NewReader(h1)
		for range 3 {
			io.WriteString(h1, plainGet)
			_, body := c.response("GET")
			assert.Equal(t, "server", body)
			time.Sleep(5 * time.Second)
		}
		h2 := connect("h2")
		io.WriteString(h2, "x")
		got := make([]byte, 1)
		_, err := io.ReadFull(h2, got)
		assert.NoError(t, err)
		slow, b := memhttp.Pipe(place("caller"), place("server"))
		begun := time.Now()
		s.ServeConn(tls.Server(b, serverSide))
		assert.Equal(t, time.Minute, time.Since(begun), "handshake")
		slow.Close()
		require.NoError(t, s.Shutdown(context.Background()))
		h1.Close()
		h2.Close()
		assert.Len(t, heard.reasons, 3)
	})
}

func TestServerPanicIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		s := newServer(t, http1.ServerOptions{Logger: slog.New(slog.NewTextHandler(&text, nil))}, func(http.ResponseWriter, *http.Request) { panic("oh no") })
		c := dial(t, s)
		c.send(plainGet)
		c.closed()
		require.NoError(t, s.Close())
		assert.Contains(t, text.String(), "oh no")
		assert.Contains(t, text.String(), "server_life_test.go")
	})
}

// ServeConn returns when the connection has ended, however long it was idle, and also when
// the handler has taken it over.
func TestServeConnReturnsAtTheEnd(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/take" {
				_, _, err := http.NewResponseController(w).Hijack()
				assert.NoError(t, err)
			}
		})
		defer s.Close()
		for _, take := range []bool{false, true} {
			caller, served := memhttp.Pipe(place("caller"), place("server"))
			var returned atomic.Bool
			go func() {
				s.ServeConn(served)
				returned.Store(true)
			}()
			br := bufio.NewReader(caller)
			for range 3 {
				time.Sleep(time.Hour)
				_, err := io.WriteString(caller, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				require.NoError(t, err)
				_, err = http.ReadResponse(br, nil)
				require.NoError(t, err)
			}
			time.Sleep(time.Hour)
			assert.False(t, returned.Load())
			if take {
				_, err := io.WriteString(caller, "GET /take HTTP/1.1\r\nHost: h\r\n\r\n")
				require.NoError(t, err)
				synctest.Wait()
				assert.True(t, returned.Load())
				require.NoError(t, served.Close())
			}
			require.NoError(t, caller.Close())
			synctest.Wait()
			assert.True(t, returned.Load())
		}
	})
}
