package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// hop is a proxy made of a Server and a Pool, and nothing else. It returns its address.
func hop(tb testing.TB, backend string) string {
	tb.Helper()
	p := http1.NewPool(http1.PoolOptions{Recycle: true, Dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", backend)
	}})
	srv := http1.NewServer(http1.ServerOptions{Recycle: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := p.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})})
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	tb.Cleanup(func() {
		_ = srv.Close()
		_ = p.Close()
		<-done
	})
	return l.Addr().String()
}

func TestServerOverPool(t *testing.T) {
	gone := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		case "/hang":
			<-r.Context().Done()
			close(gone)
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Sum", fmt.Sprintf("%x", sha256.Sum256(b)))
		_, _ = w.Write(b)
	}))
	defer backend.Close()
	addr := hop(t, backend.Listener.Addr().String())
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, size := range []int{0, 5, 3000, 5000, 100_000, 5 << 20} {
		for _, chunked := range []bool{false, true} {
			for range 3 {
				body := pattern(size)
				var r io.Reader = bytes.NewReader(body)
				if chunked {
					r = readerOnly{r}
				}
				resp, err := client.Post("http://"+addr+"/", "text/plain", r)
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, 200, resp.StatusCode, "%s", got)
				require.True(t, bytes.Equal(body, got), "%d bytes instead of %d", len(got), size)
			}
		}
	}

	// The endpoint does not want it.
	resp, err := client.Post("http://"+addr+"/refuse", "text/plain", bytes.NewReader(pattern(8<<20)))
	if err == nil { // or the answer was overtaken by the reset, as TCP has it
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}

	// The caller hangs up.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/hang", http.NoBody)
	require.NoError(t, err)
	_, err = client.Do(req)
	require.Error(t, err)
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("the endpoint does not know")
	}
}

// BenchmarkHop is a request through a Server and a Pool; caller and endpoint are as
// cheap as can be, and counted.
func BenchmarkHop(b *testing.B) {
	endpoint := func(b *testing.B) string {
		b.Helper()
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.NoError(b, err)
		b.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					buf, out := make([]byte, 2048), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world")
					for {
						if _, err := c.Read(buf); err != nil {
							return
						}
						_, _ = c.Write(out)
					}
				}()
			}
		}()
		return l.Addr().String()
	}
	addr := hop(b, endpoint(b))
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		r, out := bufio.NewReader(c), []byte(strings.Replace(benchRequest, "L5d", "X", 1))
		for pb.Next() {
			_, _ = c.Write(out)
			for {
				line, err := r.ReadSlice('\n')
				if err != nil {
					b.Error(err)
					return
				}
				if len(line) == 2 {
					break
				}
			}
			_, _ = r.Discard(12)
		}
	})
}
