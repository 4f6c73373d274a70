package meshhttp_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestCallDepth is V78.
func TestCallDepth(t *testing.T) {
	via := "Via: 1.1 a" + strings.Repeat(", 1.1 a", 9)
	for limit, want := range map[int]int{10: 200, 9: 400} {
		inWorld(t, setup{server: meshhttp.ServerOptions{MaxCallDepth: limit}}, func(w *world) {
			w.serve("ds", nil)
			resp := proxied(w.t, w, call{host: "ds", header: []string{via}})
			assert.Equal(w.t, want, resp.StatusCode)
			if want == 400 {
				assert.Equal(w.t, "Maximum number of calls (9) has been exceeded. Please check for proxy loops.", resp.body)
				assert.NotEmpty(w.t, resp.Header.Get("l5d-err"))
			}
		})
	}
}

// TestProxyLoop: a name that leads back to the listener ends.
func TestProxyLoop(t *testing.T) {
	inWorld(t, setup{server: meshhttp.ServerOptions{MaxCallDepth: 5}}, func(w *world) {
		w.put("loop", proxyAddr)
		assert.Equal(w.t, 400, proxied(w.t, w, call{host: "loop"}).StatusCode)
		assert.Equal(w.t, 6, w.client("loop", "requests"))
	})
}

// TestHeadLimits is 414, 431 and 400 of 2.9.
func TestHeadLimits(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("ds", nil)
		rows := []struct {
			c    call
			code int
		}{
			{call{host: "ds", uri: "/" + strings.Repeat("a", 4<<10)}, 414},
			{call{host: "ds", header: []string{"A: " + strings.Repeat("a", 8<<10)}}, 431},
			{call{host: "ds", header: []string{"A: " + strings.Repeat("a", 30<<10)}}, 431},
			{call{host: "ds", uri: "/\u00e4"}, 400},
			{call{host: "ds", uri: "/a b"}, 400},
			{call{host: "ds", header: []string{"A B: c"}}, 400},
			{call{host: "ds", header: []string{"A: \x01"}}, 400},
			{call{host: "ds", header: []string{"Expect: the-unexpected"}}, 417},
		}
		for _, r := range rows {
			resp := proxied(t, w, r.c)
			assert.Equal(t, r.code, resp.StatusCode, "%.60v", r.c)
			assert.Empty(t, resp.Header.Get("l5d-err"))
			assert.True(t, resp.Close)
		}
		assert.Empty(t, ds.requests())
		assert.Equal(t, 200, proxied(t, w, call{host: "ds", uri: "/" + strings.Repeat("a", 4000), header: []string{"A: " + strings.Repeat("a", 8000)}}).StatusCode)
	})
}

// TestMaxConcurrent: what is beyond the limit is told to come again, and not
// queued.
func TestMaxConcurrent(t *testing.T) {
	inWorld(t, setup{server: meshhttp.ServerOptions{MaxConcurrent: 1}}, func(w *world) {
		t := w.t
		w.serve("ds", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
		w.serve("broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		done := make(chan int)
		go func() { done <- proxied(t, w, call{host: "ds"}).StatusCode }()
		time.Sleep(time.Millisecond)
		resp := proxied(t, w, call{host: "ds"})
		assert.Equal(t, 503, resp.StatusCode)
		assert.Equal(t, "Request was not processed by the server due to an error and is safe to retry", resp.body)
		assert.Empty(t, resp.Header.Get("l5d-err"))
		assert.Equal(t, "true", resp.Header.Get("finagle-http-nack"))
		assert.Equal(t, "0", resp.Header.Get("Retry-After"))
		assert.Empty(t, proxied(t, w, call{method: http.MethodHead, host: "ds"}).body)
		assert.Equal(t, 200, <-done)
		for range 3 {
			assert.Equal(t, 502, proxied(t, w, call{host: "broken"}).StatusCode)
		}
		assert.Equal(t, 200, proxied(t, w, call{host: "ds"}).StatusCode, "places are given back")
	})
}

// TestHTTP10Caller: its connection is closed after the exchange and its response
// is not chunked.
func TestHTTP10Caller(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(rw).Flush()
			_, _ = io.WriteString(rw, "stream")
			rw.Header().Set(http.TrailerPrefix+"X", "y")
		})
		resp := proxied(t, w, call{host: "ds", proto: "HTTP/1.0"})
		assert.Empty(t, resp.TransferEncoding)
		assert.Equal(t, "stream", resp.body)
		assert.True(t, resp.Close)
	})
}

// TestKeepAlive: several requests on a caller's connection, one after the other,
// also when they come at once (2.9: pipelining).
func TestKeepAlive(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("ds", func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, r.URL.Path) })
		conn, err := w.net.Dial(t.Context(), proxyAddr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /1 HTTP/1.1\r\nHost: ds\r\n\r\nPOST /2 HTTP/1.1\r\nHost: ds\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: ds\r\n\r\n")
		require.NoError(t, err)
		br := bufio.NewReader(conn)
		for _, want := range []string{"/1", "/2", "/3"} {
			resp, err := http.ReadResponse(br, nil)
			require.NoError(t, err)
			assert.Equal(t, want, readReply(resp).body)
		}
		assert.Equal(t, 1, ds.connections())
	})
}

// TestExpectContinue: the listener says 100 itself, and the downstream is not
// asked.
func TestExpectContinue(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("ds", nil)
		conn, err := w.net.Dial(t.Context(), proxyAddr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: ds\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		br := bufio.NewReader(conn)
		resp, err := http.ReadResponse(br, nil)
		require.NoError(t, err)
		assert.Equal(t, 100, resp.StatusCode)
		_, err = io.WriteString(conn, "hello")
		require.NoError(t, err)
		resp, err = http.ReadResponse(br, nil)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "hello", ds.last(t).body)
		assert.NotContains(t, ds.last(t).Header, "Expect")
	})
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("ds", nil)
		req := newRequest(t, http.MethodPost, "http://ds/", strings.NewReader("hello"))
		req.Header.Set("Expect", "100-continue")
		readReply(roundTrip(t, w.mesh, req))
		assert.Equal(t, "100-continue", ds.last(t).Header.Get("Expect"), "a client in the process asks the endpoint")
		assert.Equal(t, "hello", ds.last(t).body)
	})
}

// TestEarlyResponseReachesTheCaller, who is still sending.
func TestEarlyResponseReachesTheCaller(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusRequestEntityTooLarge) })
		conn, err := w.net.Dial(t.Context(), proxyAddr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: ds\r\nTest-Read: no\r\nContent-Length: 1000000\r\n\r\nhello")
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	})
}

// TestCompression is 2.9's row about it.
func TestCompression(t *testing.T) {
	rows := []struct {
		id      string
		level   int
		accept  string
		kind    string
		zipped  bool
		chunked bool
	}{
		{"textual", 0, "gzip", "text/html; charset=utf-8", true, false},
		{"json, stream", 0, "deflate, gzip;q=0.5", "application/json", true, true},
		{"not textual", 0, "gzip", "image/png", false, false},
		{"no type", 0, "gzip", "", false, false},
		{"any, with a level", 9, "*", "image/png", true, false},
		{"not accepted", 0, "br", "text/html", false, false},
		{"refused", 0, "gzip;q=0, *", "text/html", false, false},
		{"accepted by name", 0, "*;q=0, gzip", "text/html", true, false},
		{"off", meshhttp.NoCompression, "gzip", "text/html", false, false},
	}
	text := strings.Repeat("compress me ", 2000)
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			inWorld(t, setup{server: meshhttp.ServerOptions{Compression: r.level}}, func(w *world) {
				t := w.t
				w.serve("ds", func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header()["Content-Type"] = []string{r.kind}
					if r.kind == "" {
						rw.Header()["Content-Type"] = nil
					}
					if r.chunked {
						_ = http.NewResponseController(rw).Flush()
					} else {
						rw.Header().Set("Content-Length", itoa(len(text)))
					}
					_, _ = io.WriteString(rw, text)
				})
				resp := proxied(t, w, call{host: "ds", header: []string{"Accept-Encoding: " + r.accept}})
				require.NoError(t, resp.err)
				if !r.zipped {
					assert.Empty(t, resp.Header.Get("Content-Encoding"))
					assert.Equal(t, text, resp.body)
					return
				}
				assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
				assert.Equal(t, "Accept-Encoding", resp.Header.Get("Vary"))
				assert.Less(t, len(resp.body), len(text)/2)
				zr, err := gzip.NewReader(strings.NewReader(resp.body))
				require.NoError(t, err)
				got, err := io.ReadAll(zr)
				require.NoError(t, err)
				assert.Equal(t, text, string(got))
			})
		})
	}
	t.Run("what breaks is not made whole", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			w.raw("ds", true, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			resp := proxied(w.t, w, call{host: "ds", header: []string{"Accept-Encoding: gzip"}})
			assert.Error(w.t, resp.err)
		})
	})
	t.Run("what is encoded stays", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			w.raw("ds", true, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello")
			resp := proxied(w.t, w, call{host: "ds", header: []string{"Accept-Encoding: gzip"}})
			assert.Equal(w.t, "hello", resp.body)
			assert.Equal(w.t, "br", resp.Header.Get("Content-Encoding"))
		})
	})
}

// TestServerStats is S2 and the row "server stats" of 4.4.
func TestServerStats(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		w.serve("ds", alternate("", 200, 404, 500))
		for range 3 {
			proxied(t, w, call{host: "ds"})
		}
		synctest.Wait()
		server := func(elems ...string) int { return w.count(append([]string{"server", "10.9.9.9/4140"}, elems...)...) }
		assert.Equal(t, 3, server("requests"))
		assert.Equal(t, 2, server("success"))
		assert.Equal(t, 1, server("failures"))
		for name, n := range map[string]int{"200": 1, "404": 1, "500": 1, "2XX": 1, "4XX": 1, "5XX": 1, "3XX": 0, "error": 0} {
			assert.Equal(t, n, server("status", name), name)
		}
		assert.Equal(t, 0, server("pending"))
	})
}
