package http1_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

// only reads what came until the server waits, and asserts that it is text.
func (r *raw) only(text string) {
	r.t.Helper()
	synctest.Wait()
	got := make([]byte, len(text))
	_, err := io.ReadFull(r.br, got)
	assert.NoError(r.t, err)
	assert.Equal(r.t, text, string(got))
	assert.Zero(r.t, r.br.Buffered())
}

func TestServerResponseFraming(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40_000)
	for name, c := range map[string]struct {
		request string
		handler http.HandlerFunc
		want    string
		closed  bool
	}{
		"empty": {"GET / HTTP/1.1", func(http.ResponseWriter, *http.Request) {}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		"short": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ab"); w.Write([]byte("c")) }, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false},
		"flushed": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "ab")
			w.(http.Flusher).Flush()
			io.WriteString(w, "c")
		}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", false},
		"long": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) }, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9c40\r\n" + long + "\r\n0\r\n\r\n", false},
		"declared": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "40000")
			n, err := io.WriteString(w, long)
			assert.NoError(t, err)
			assert.Equal(t, 40_000, n)
			_, err = io.WriteString(w, "more")
			assert.ErrorIs(t, err, http.ErrContentLength)
		}, "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + long, false},
		"too short": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "abc")
		}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", true},
		"1.0":              {"GET / HTTP/1.0", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", true},
		"1.0 until close":  {"GET / HTTP/1.0\r\nConnection: keep-alive", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) }, "HTTP/1.0 200 OK\r\n\r\n" + long, true},
		"1.0 that stays":   {"GET / HTTP/1.0\r\nConnection: keep-alive", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc", false},
		"close asked for":  {"GET / HTTP/1.1\r\nConnection: x, Close", func(http.ResponseWriter, *http.Request) {}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true},
		"close of handler": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true},
		"HEAD":             {"HEAD / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false},
		"HEAD, nothing":    {"HEAD / HTTP/1.1", func(http.ResponseWriter, *http.Request) {}, "HTTP/1.1 200 OK\r\n\r\n", false},
		"HEAD, declared":   {"HEAD / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "7") }, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false},
		"204": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "7")
			w.WriteHeader(http.StatusNoContent)
			_, err := io.WriteString(w, "x")
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, "HTTP/1.1 204 No Content\r\n\r\n", false},
		"304": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "7")
			w.WriteHeader(http.StatusNotModified)
		}, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false},
		"unusual status": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) }, "HTTP/1.1 599 status code 599\r\nContent-Length: 0\r\n\r\n", false},
		"framing of handler": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["content-length"] = []string{"9"}
			w.Header()["transfer-Encoding"] = []string{"chunked"}
			w.Header()["Transfer-Encoding"] = []string{"gzip"}
			w.Header()["Bad Name"] = []string{"x"}
			w.Header()["Content-Length"] = []string{"+9"}
			io.WriteString(w, "abc")
		}, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false},
		"splitting": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", "a\r\nY: b\x00") }, "HTTP/1.1 200 OK\r\nX: a  Y: b\r\nContent-Length: 0\r\n\r\n", false},
		"trailers": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "x-a, Content-Length")
			io.WriteString(w, "abc")
			w.Header().Set("X-A", "1")
		}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n3\r\nabc\r\n0\r\nX-A: 1\r\n\r\n", false},
		"trailer that nobody announced": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "abc")
			w.Header().Set(http.TrailerPrefix+"x-b", "2")
		}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-B: 2\r\n\r\n", false},
		"adopted header": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.(http1.HeaderAdopter).UseHeader(http.Header{"X": {"1", "2"}})
		}, "HTTP/1.1 200 OK\r\nX: 1\r\nX: 2\r\nContent-Length: 0\r\n\r\n", false},
		"informational": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "x")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			w.Header().Del("Link")
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusInternalServerError)
		}, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", false},
		"informational, 1.0": {"GET / HTTP/1.0", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) }, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", true},
		"CONNECT":            {"CONNECT h:80 HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", true},
		"ReadFrom": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(long))
			assert.NoError(t, err)
			assert.EqualValues(t, 40_000, n)
		}, "", false},
		"panic": {"GET / HTTP/1.1", func(http.ResponseWriter, *http.Request) { panic("x") }, "", true},
		"panic midways": {"GET / HTTP/1.1", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, o http1.ServerOptions) {
				t.Helper()
				s := newServer(t, o, c.handler)
				defer s.Close()
				caller := dial(t, s)
				for range 2 {
					caller.send(c.request + "\r\nHost: h\r\n\r\n")
					if c.want == "" && !c.closed {
						_, body := caller.response("GET")
						assert.Equal(t, long, body)
						continue
					}
					caller.only(c.want)
					if c.closed {
						caller.closed()
						return
					}
				}
			})
		})
	}
}

func TestServerPipelining(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second) // long enough for somebody to look whether the caller is there
			body, _ := io.ReadAll(r.Body)
			io.WriteString(w, r.URL.Path+string(body))
		})
		defer s.Close()
		c := dial(t, s)
		c.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
		time.Sleep(100 * time.Millisecond)
		c.send("GET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
		for _, want := range []string{"/1", "/2abc", "/3"} {
			_, body := c.response("GET")
			assert.Equal(t, want, body)
		}
		c.send("GET /4 HTTP/1.1\r\nHost: h\r\n\r\n")
		time.Sleep(500 * time.Millisecond)
		c.send("GET /5 HTTP/1.1\r\nHost: h\r\n\r\n") // its first byte is read by who looks for the caller
		for _, want := range []string{"/4", "/5"} {
			_, body := c.response("GET")
			assert.Equal(t, want, body)
		}
	})
}

func TestServerHangup(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"GET":                  "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"body that is here":    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		"body that is read":    "POST /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"body that is cut off": "POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, o http1.ServerOptions) {
				t.Helper()
				var after time.Duration
				done := make(chan struct{})
				s := newServer(t, o, func(_ http.ResponseWriter, r *http.Request) {
					defer close(done)
					begun := time.Now()
					if r.URL.Path == "/read" {
						io.ReadAll(r.Body)
					}
					<-r.Context().Done()
					assert.Error(t, r.Context().Err())
					after = time.Since(begun)
				})
				defer s.Close()
				c := dial(t, s)
				c.send(request)
				time.Sleep(10 * time.Second)
				c.Conn.Close()
				<-done
				assert.Equal(t, 10*time.Second, after)
			})
		})
	}
}

func TestServerContextEndsWithRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended <-chan struct{}
		s := newServer(t, http1.ServerOptions{}, func(_ http.ResponseWriter, r *http.Request) {
			ended = r.Context().Done()
			assert.Equal(t, place("server"), r.Context().Value(http.LocalAddrContextKey))
			assert.Equal(t, "caller", r.RemoteAddr)
		})
		defer s.Close()
		c := dial(t, s)
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		c.response("GET")
		<-ended
	})
}

func TestServerExpect(t *testing.T) {
	t.Parallel()
	request := "POST /%s HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/explicit":
				w.WriteHeader(http.StatusContinue)
				fallthrough
			case "/read":
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				w.Write(body)
			case "/late":
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
				body, _ := io.ReadAll(r.Body)
				w.Write(body)
			}
		})
		defer s.Close()
		c := dial(t, s)
		for _, path := range []string{"read", "explicit"} {
			c.send(strings.Replace(request, "%s", path, 1))
			c.only("HTTP/1.1 100 Continue\r\n\r\n")
			c.send("abc")
			c.only("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
		}
		c.send(strings.Replace(request, "%s", "late", 1))
		c.only("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		c.send("abc")
		c.only("3\r\nabc\r\n0\r\n\r\n")
		c.send(strings.Replace(request, "%s", "refuse", 1))
		c.only("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.closed()
	})
}

func TestServerUnreadBody(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(http.ResponseWriter, *http.Request) {})
		defer s.Close()
		c := dial(t, s)
		c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("a", 50_000))
		go io.WriteString(c.Conn, strings.Repeat("a", 50_000)+"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		for range 2 {
			resp, _ := c.response("POST")
			assert.False(t, resp.Close)
		}
		// An early answer to a long upload reaches the caller although it goes on sending.
		c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			io.WriteString(c.Conn, strings.Repeat("a", 1_000_000))
		}()
		resp, _ := c.response("POST")
		assert.True(t, resp.Close)
		c.closed()
		<-sent
	})
}

func TestServerFullDuplex(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			assert.NoError(t, rc.EnableFullDuplex())
			assert.NoError(t, rc.Flush())
			buf := make([]byte, 10)
			for {
				n, err := r.Body.Read(buf)
				w.Write(buf[:n])
				assert.NoError(t, rc.Flush())
				if err != nil {
					assert.Equal(t, io.EOF, err)
					w.Header().Set(http.TrailerPrefix+"X-T", r.Trailer.Get("X-T"))
					return
				}
			}
		})
		defer s.Close()
		c := dial(t, s)
		c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
		c.only("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for range 3 {
			c.send("3\r\nabc\r\n")
			c.only("3\r\nabc\r\n")
		}
		c.send("0\r\nX-T: 1\r\n\r\n")
		c.only("0\r\nX-T: 1\r\n\r\n")
	})
}

// TestServerReaderLeftBehind has a handler return while somebody still reads the body: the Read
// ends, and takes nothing of the next request.
func TestServerReaderLeftBehind(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		ended := make(chan error, 1)
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				go func() {
					_, err := r.Body.Read(make([]byte, 10))
					ended <- err
				}()
				synctest.Wait()
			}
			io.WriteString(w, r.Method)
		})
		defer s.Close()
		c := dial(t, s)
		c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
		_, body := c.response("POST")
		assert.Equal(t, "POST", body)
		assert.ErrorIs(t, <-ended, http.ErrBodyReadAfterClose)
		c.send("abcGET / HTTP/1.1\r\nHost: h\r\n\r\n")
		_, body = c.response("GET")
		assert.Equal(t, "GET", body)
	})
}

func TestServerHijack(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			conn, rw, err := w.(http.Hijacker).Hijack()
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close()
			assert.Equal(t, 5, rw.Reader.Buffered())
			_, _, err = w.(http.Hijacker).Hijack()
			assert.ErrorIs(t, err, http.ErrHijacked)
			_, err = io.WriteString(w, "x")
			assert.Error(t, err)
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
			rw.Flush()
			line, err := rw.ReadString('\n')
			assert.NoError(t, err)
			rw.WriteString(line)
			rw.Flush()
		})
		c := dial(t, s)
		c.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly")
		c.only("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		require.NoError(t, s.Close()) // hijacked connections are not its business
		c.send(" and late\n")
		c.only("early and late\n")
		c.closed()
	})
}

func TestServerDeadlinesOfHandler(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			begun := time.Now()
			assert.NoError(t, rc.SetReadDeadline(begun.Add(3*time.Second)))
			assert.NoError(t, rc.SetWriteDeadline(begun.Add(time.Hour)))
			_, err := io.ReadAll(r.Body)
			var ne net.Error
			assert.True(t, errors.As(err, &ne) && ne.Timeout(), err)
			assert.Equal(t, 3*time.Second, time.Since(begun))
		})
		defer s.Close()
		c := dial(t, s)
		c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
		resp, _ := c.response("POST")
		assert.True(t, resp.Close)
	})
}
