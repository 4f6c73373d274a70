package http2_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
)

// lockedBuffer is what a logger writes to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func curl(t *testing.T, args ...string) string {
	t.Helper()
	bin, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	out, err := exec.CommandContext(t.Context(), bin, append([]string{"-sS", "--max-time", "10"}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestCurl(t *testing.T) {
	addr, _ := startServer(t, http2.ServerOptions{Handler: app()})
	url := "http://" + addr
	format := "\n%{http_code} %{http_version}"
	assert.Equal(t, "hello\n200 2", curl(t, "--http2-prior-knowledge", "-w", format, "-d", "hello", url+"/echo"))
	assert.Equal(t, "\n200 2", curl(t, "--http2", "-w", format, url+"/echo"), "upgrade")
	assert.Equal(t, "hello\n200 2", curl(t, "--http2", "-w", format, "-d", "hello", url+"/echo"), "upgrade with a body")
	assert.Equal(t, "page\n200 2", curl(t, "--http2-prior-knowledge", "-w", format, url+"/hints"))
	assert.Len(t, curl(t, "--http2-prior-knowledge", url+"/big?n=2000000", "-o", "-"), 2_000_000)

	cert, _ := certificate(t)
	l := http2.NewTLSListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}})
	addr, _ = startServerOn(t, l, http2.ServerOptions{Handler: app()})
	assert.Equal(t, "hello\n200 2", curl(t, "-k", "-w", format, "-d", "hello", "https://"+addr+"/echo"))
}

func TestNotHTTP2(t *testing.T) {
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	addr, _ := startServer(t, http2.ServerOptions{Handler: app(), Conn: http2.Options{Logger: logger}})
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"PRI * HTTP/1.1\r\nHost: a\r\n\r\n",
		"\x16\x03\x01\x00\x05hello",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
	} {
		nc, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(nc, text)
		require.NoError(t, err)
		b, _ := io.ReadAll(nc)
		assert.Empty(t, b, "%q is not answered", text)
		_ = nc.Close()
	}
	assert.Eventually(t, func() bool {
		return strings.Count(log.String(), "HTTP/2 router could not handle non-HTTP/2 request!") == 4
	}, 5*time.Second, time.Millisecond)

	// TLS that chose another protocol.
	cert, _ := certificate(t)
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1", "h2"}})
	addr, _ = startServerOn(t, l, http2.ServerOptions{Handler: app()})
	tc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	require.NoError(t, err)
	b, _ := io.ReadAll(tc)
	assert.Empty(t, b)
	_ = tc.Close()
}

func TestOnOther(t *testing.T) {
	got := make(chan string, 1)
	addr, _ := startServer(t, http2.ServerOptions{Handler: app(), OnOther: func(nc net.Conn) {
		defer nc.Close()
		req, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil {
			got <- err.Error()
			return
		}
		got <- req.Method + " " + req.RequestURI + " " + req.Host
		_, _ = io.WriteString(nc, "HTTP/1.1 204 No Content\r\n\r\n")
	}})
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	_, err = io.WriteString(nc, "PUT /a HTTP/1.1\r\nHost: web\r\n\r\n")
	require.NoError(t, err)
	b, err := io.ReadAll(nc)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 204 No Content\r\n\r\n", string(b))
	assert.Equal(t, "PUT /a web", <-got)
}

func TestUpgradeTooLong(t *testing.T) {
	addr, _ := startServer(t, http2.ServerOptions{Handler: app(), MaxUpgradeBody: 10})
	settings := base64.RawURLEncoding.EncodeToString([]byte{0, 3, 0, 0, 0, 100})
	for _, framing := range []string{"Content-Length: 11\r\n\r\n01234567890", "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"} {
		nc, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = fmt.Fprintf(nc, "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: %s\r\n%s", settings, framing)
		require.NoError(t, err)
		b, err := io.ReadAll(nc)
		require.NoError(t, err)
		assert.Contains(t, string(b), "HTTP/1.1 413 ")
		_ = nc.Close()
	}
}

func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, begin := range []string{"", "PRI * HT", "POST / HTTP/1.1\r\nHost: "} {
			a, b := net.Pipe()
			s := http2.NewServer(http2.ServerOptions{Handler: app(), HandshakeTimeout: 3 * time.Second})
			start := time.Now()
			go func() { _, _ = io.WriteString(a, begin) }()
			require.Error(t, s.ServeConn(b))
			assert.Equal(t, 3*time.Second, time.Since(start), "%q", begin)
			_ = a.Close()
		}
	})
}

// serveOne runs h behind a Client in memory.
func serveOne(t *testing.T, h http.HandlerFunc, o http2.ServerOptions) *http2.Client {
	t.Helper()
	o.Handler = h
	p := newPipes(t, o)
	c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestHandlerPanics(t *testing.T) {
	for name, v := range map[string]any{"aborted": http.ErrAbortHandler, "bug": "oops"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log lockedBuffer
				c := serveOne(t, func(http.ResponseWriter, *http.Request) { panic(v) },
					http2.ServerOptions{Conn: http2.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
				_, err := try(t.Context(), c, "/a")
				var reset *http2.ResetError
				require.ErrorAs(t, err, &reset)
				assert.Equal(t, xhttp2.ErrCodeInternal, reset.Code)
				assert.Equal(t, name == "bug", strings.Contains(log.String(), "oops"))
				require.NoError(t, c.Close())
			})
		})
	}
}

func TestHandlerContext(t *testing.T) {
	type key struct{}
	addr, s := startServer(t, http2.ServerOptions{
		BaseContext: func(net.Conn) context.Context { return context.WithValue(context.Background(), key{}, "base") },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			_, _ = fmt.Fprint(w, r.Context().Value(key{}), " ", local, " ", r.RemoteAddr != "", " ", r.Host, " ", r.RequestURI)
		}),
	})
	_ = s
	rt := http2.NewTransport(http2.TransportOptions{})
	defer func() { require.NoError(t, rt.Close()) }()
	got, err := try(t.Context(), roundTripper(func(r *http.Request) (*http.Response, error) {
		r.URL.Host = addr
		return rt.RoundTrip(r)
	}), "/x?y")
	require.NoError(t, err)
	assert.Equal(t, "base "+addr+" true web /x?y", got)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHandlerSeesClientLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		causes := make(chan error, 1)
		p := newPipes(t, http2.ServerOptions{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			causes <- context.Cause(r.Context())
		})})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		go func() { _, _ = try(t.Context(), c, "/") }()
		synctest.Wait()
		_ = p.ends[0].Close()
		var lost *http2.ConnError
		require.ErrorAs(t, <-causes, &lost)
		require.NoError(t, c.Close())
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := make(chan error, 2)
		c := serveOne(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			assert.NoError(t, rc.EnableFullDuplex())
			if r.URL.Path == "/read" {
				assert.NoError(t, rc.SetReadDeadline(time.Now().Add(time.Second)))
				_, err := io.ReadAll(r.Body)
				errs <- err
				return
			}
			assert.NoError(t, rc.SetWriteDeadline(time.Now().Add(time.Second)))
			for {
				if _, err := w.Write(make([]byte, 10_000)); err != nil {
					errs <- err
					return
				}
			}
		}, http2.ServerOptions{})
		body, end := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://web/read", body)
		require.NoError(t, err)
		start := time.Now()
		resp, err := c.RoundTrip(req)
		require.NoError(t, err)
		require.ErrorIs(t, <-errs, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
		_ = resp.Body.Close()
		_ = end.Close()

		start = time.Now()
		resp, err = c.RoundTrip(getRequest(t, "http://web/write"))
		require.NoError(t, err)
		require.ErrorIs(t, <-errs, os.ErrDeadlineExceeded, "the client does not read")
		assert.Equal(t, time.Second, time.Since(start))
		_, err = io.ReadAll(resp.Body)
		require.Error(t, err)
		_ = resp.Body.Close()
		require.NoError(t, c.Close())
	})
}

func TestShutdownDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var wg sync.WaitGroup
		wg.Go(func() {
			body, err := try(t.Context(), c, "/")
			assert.NoError(t, err)
			assert.Equal(t, "open", body)
		})
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- p.server.Shutdown(context.Background()) }()
		time.Sleep(time.Minute)
		assert.Empty(t, done)
		close(g.open)
		wg.Wait()
		require.NoError(t, <-done)
		_, err := try(t.Context(), c, "/")
		require.Error(t, err, "nobody is there")
		require.NoError(t, c.Close())
	})
}

func TestShutdownCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t, http2.ServerOptions{Handler: &gate{open: make(chan struct{})}})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		go func() {
			_, err := try(t.Context(), c, "/")
			assert.Error(t, err)
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, p.server.Shutdown(ctx), context.DeadlineExceeded)
		assert.Less(t, time.Since(start), 2*time.Minute)
		require.NoError(t, c.Close())
	})
}

func TestMaxHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		p := newPipes(t, http2.ServerOptions{Handler: g, MaxHandlers: 2})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _, err := try(t.Context(), c, "/"); assert.NoError(t, err) })
		}
		synctest.Wait()
		_, err := try(t.Context(), c, "/")
		assert.True(t, http2.Unprocessed(err), "%v", err)
		close(g.open)
		wg.Wait()
		_, err = try(t.Context(), c, "/")
		require.NoError(t, err)
		require.NoError(t, c.Close())
	})
}

// TestStuckReader has one stream's reader stop: the others go on.
func TestStuckReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveOne(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/upload" {
				<-r.Context().Done() // never reads
				return
			}
			for range 200 {
				if _, err := w.Write(make([]byte, 10_000)); err != nil {
					return
				}
			}
		}, http2.ServerOptions{})
		stuck, err := c.RoundTrip(getRequest(t, "http://web/"))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://web/upload", io.LimitReader(zeroes{}, 1<<20))
		require.NoError(t, err)
		uploaded := make(chan error, 1)
		go func() { _, err := c.RoundTrip(req); uploaded <- err }()
		for range 20 {
			body, err := try(t.Context(), c, "/")
			require.NoError(t, err)
			assert.Len(t, body, 2_000_000)
		}
		assert.Equal(t, 1, c.Conns())
		cancel()
		require.ErrorIs(t, <-uploaded, context.Canceled)
		n, err := io.Copy(io.Discard, stuck.Body)
		require.NoError(t, err)
		assert.EqualValues(t, 2_000_000, n)
		_ = stuck.Body.Close()
		require.NoError(t, c.Close())
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { return len(p), nil }

// TestBidirectional is a conversation on one stream, as gRPC has it.
func TestBidirectional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveOne(t, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				_, _ = fmt.Fprintln(w, "echo", lines.Text())
				assert.NoError(t, rc.Flush())
			}
			w.Header().Set(http.TrailerPrefix+"X-End", "yes")
		}, http2.ServerOptions{})
		body, w := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://web/", body)
		require.NoError(t, err)
		go func() { _, _ = fmt.Fprintln(w, "0") }()
		resp, err := c.RoundTrip(req)
		require.NoError(t, err)
		lines := bufio.NewReader(resp.Body)
		for i := range 10 {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprintf("echo %d\n", i), line)
			_, err = fmt.Fprintln(w, i+1)
			require.NoError(t, err)
		}
		_ = w.Close()
		_, err = io.Copy(io.Discard, lines)
		require.NoError(t, err)
		assert.Equal(t, "yes", resp.Trailer.Get("X-End"))
		require.NoError(t, c.Close())
	})
}

func TestConnectTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveOne(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodConnect || r.Host != "db:5432" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			rc := http.NewResponseController(w)
			assert.NoError(t, rc.Flush())
			buf := make([]byte, 100)
			for {
				n, err := r.Body.Read(buf)
				_, _ = w.Write(bytes.ToUpper(buf[:n]))
				_ = rc.Flush()
				if err != nil {
					assert.ErrorIs(t, err, io.EOF)
					_, _ = io.WriteString(w, " BYE")
					return
				}
			}
		}, http2.ServerOptions{})
		req := getRequest(t, "http://db:5432/")
		req.Method, req.URL.Path = http.MethodConnect, ""
		resp, err := c.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		tunnel, ok := resp.Body.(io.ReadWriteCloser)
		require.True(t, ok)
		_, err = io.WriteString(tunnel, "hello")
		require.NoError(t, err)
		buf := make([]byte, 5)
		_, err = io.ReadFull(tunnel, buf)
		require.NoError(t, err)
		assert.Equal(t, "HELLO", string(buf))
		require.NoError(t, tunnel.(interface{ CloseWrite() error }).CloseWrite())
		rest, err := io.ReadAll(tunnel)
		require.NoError(t, err)
		assert.Equal(t, " BYE", string(rest))
		require.NoError(t, tunnel.Close())

		resp, err = c.RoundTrip(getRequest(t, "http://other/"))
		require.NoError(t, err)
		assert.Equal(t, 403, resp.StatusCode)
		_ = resp.Body.Close()
		require.NoError(t, c.Close())
	})
}

// TestTooLongResponse: what exceeds the declared length is refused to the handler.
func TestTooLongResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveOne(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, err := io.WriteString(w, "12345")
			assert.NoError(t, err)
			_, err = io.WriteString(w, "678")
			assert.ErrorIs(t, err, http.ErrContentLength)
		}, http2.ServerOptions{})
		body, err := try(t.Context(), c, "/")
		require.NoError(t, err)
		assert.Equal(t, "12345", body)
		require.NoError(t, c.Close())
	})
}

// TestFlatMemory streams 100 MB each way.
func TestFlatMemory(t *testing.T) {
	const size = 100 << 20
	addr, _ := startServer(t, http2.ServerOptions{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})})
	c := http2.NewClient(http2.ClientOptions{Dial: dialTo(addr)})
	defer func() { require.NoError(t, c.Close()) }()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://web/", io.LimitReader(zeroes{}, size))
	require.NoError(t, err)
	resp, err := c.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var most uint64
	buf := make([]byte, 1<<20)
	total := 0
	for {
		n, err := io.ReadFull(resp.Body, buf)
		total += n
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		require.NoError(t, err)
	}
	assert.Equal(t, size, total)
	assert.Less(t, most, before.HeapInuse+(16<<20))
	t.Logf("heap in use grew by at most %d kB", (int64(most)-int64(before.HeapInuse))>>10)
}

// TestRelayFace: the same server gives its connections to a relay.
func TestRelayFace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened, closed int
		p := newPipes(t, http2.ServerOptions{
			Accept: func(c *http2.Conn) http2.Accept {
				assert.NotNil(t, c.NetConn())
				return func(s *http2.Stream, fields []hpack.HeaderField, _ bool) http2.Receiver {
					assert.Equal(t, ":method", fields[0].Name)
					_ = s.SendHead([]hpack.HeaderField{{Name: ":status", Value: "200"}}, false)
					_, _ = s.SendData([]byte("relayed"), true)
					return nothing{}
				}
			},
			Observer: counting{&opened, &closed},
		})
		c := http2.NewClient(http2.ClientOptions{Dial: p.dial})
		body, err := try(t.Context(), c, "/")
		require.NoError(t, err)
		assert.Equal(t, "relayed", body)
		require.NoError(t, c.Close())
		require.NoError(t, p.server.Close())
		assert.Equal(t, [2]int{1, 1}, [2]int{opened, closed})
	})
}

type counting struct{ opened, closed *int }

func (c counting) Opened(*http2.Conn)        { *c.opened++ }
func (c counting) Closed(*http2.Conn, error) { *c.closed++ }
