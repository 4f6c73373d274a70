package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// written returns what p writes for req.
func written(t *testing.T, req *http.Request, x *http1.Exchange) string {
	t.Helper()
	var got bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, _ *bufio.Reader) {
			buf := make([]byte, 1<<20)
			for !bytes.Contains(got.Bytes(), []byte("\r\n\r\n")) || req.ContentLength < 0 && !(bytes.Contains(got.Bytes(), []byte("\r\n0\r\n")) && bytes.HasSuffix(got.Bytes(), []byte("\r\n\r\n"))) {
				n, err := c.Read(buf)
				got.Write(buf[:n])
				if err != nil {
					return
				}
			}
			time.Sleep(time.Second)
			_ = c.SetReadDeadline(time.Now())
			_, _ = io.WriteString(c, ok)
		})
		resp, err := e.pool(t, http1.PoolOptions{}).Send(req.WithContext(t.Context()), x)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
	return got.String()
}

func TestRequestsAsWritten(t *testing.T) {
	for _, c := range []struct {
		name string
		req  func() *http.Request
		x    *http1.Exchange
		want string
	}{
		{name: "get", req: func() *http.Request { return newRequest(t, "GET", "") }, want: "GET /path?q=1 HTTP/1.1\r\nHost: web\r\n\r\n"},
		{name: "HTTP/1.0", req: func() *http.Request { return newRequest(t, "GET", "") }, x: &http1.Exchange{HTTP10: true}, want: "GET /path?q=1 HTTP/1.0\r\nHost: web\r\n\r\n"},
		{name: "body", req: func() *http.Request { return newRequest(t, "POST", "hello") }, want: "POST /path?q=1 HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello"},
		{name: "empty POST", req: func() *http.Request { return newRequest(t, "POST", "") }, want: "POST /path?q=1 HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n"},
		{name: "framing and Host in the header are not copied", req: func() *http.Request {
			r := newRequest(t, "POST", "hello")
			r.Host = "other:8080"
			r.Header = http.Header{"Content-Length": {"7"}, "Transfer-Encoding": {"chunked"}, "Host": {"evil"}, "transfer-encoding": {"x"}, "content-length": {"9"}, "Trailer": {"T"}}
			return r
		}, want: "POST /path?q=1 HTTP/1.1\r\nHost: other:8080\r\nContent-Length: 5\r\n\r\nhello"},
		{name: "close", req: func() *http.Request { r := newRequest(t, "GET", ""); r.Close = true; return r }, want: "GET /path?q=1 HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"},
		{name: "unknown length", req: func() *http.Request {
			r := newRequest(t, "POST", "")
			r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("hel"), strings.NewReader("lo"))), -1
			return r
		}, want: "POST /path?q=1 HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"},
		{name: "trailer", req: func() *http.Request {
			r := newRequest(t, "POST", "hello")
			r.ContentLength = -1
			r.Trailer = http.Header{"X-Sum": {"1"}, "Host": {"never"}}
			return r
		}, want: "POST /path?q=1 HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"},
		{name: "values", req: func() *http.Request {
			r := newRequest(t, "GET", "")
			r.Header = http.Header{"A": {"1", "", "2 \xff"}, "User-Agent": nil}
			return r
		}, want: "GET /path?q=1 HTTP/1.1\r\nHost: web\r\nA: 1\r\nA: \r\nA: 2 \xff\r\n\r\n"},
		{name: "escapes stay", req: func() *http.Request {
			r := newRequest(t, "GET", "")
			r.URL, _ = url.Parse("http://web/a%2Fb/%20c?x=%20&y")
			return r
		}, want: "GET /a%2Fb/%20c?x=%20&y HTTP/1.1\r\nHost: web\r\n\r\n"},
		{name: "two slashes stay", req: func() *http.Request {
			r := newRequest(t, "GET", "")
			r.URL = &url.URL{Path: "//a b", RawQuery: "q"}
			return r
		}, want: "GET //a%20b?q HTTP/1.1\r\nHost: web\r\n\r\n"},
		{name: "no path", req: func() *http.Request {
			r := newRequest(t, "GET", "")
			r.URL = &url.URL{Host: "web"}
			return r
		}, want: "GET / HTTP/1.1\r\nHost: web\r\n\r\n"},
		{name: "absolute form", req: func() *http.Request {
			r := newRequest(t, "GET", "")
			r.URL = &url.URL{Scheme: "http", Opaque: "//far/x", RawQuery: "y"}
			return r
		}, want: "GET http://far/x?y HTTP/1.1\r\nHost: web\r\n\r\n"},
		{name: "OPTIONS *", req: func() *http.Request {
			r := newRequest(t, "OPTIONS", "")
			r.URL = &url.URL{Path: "*"}
			return r
		}, want: "OPTIONS * HTTP/1.1\r\nHost: web\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := c.x
			if x == nil {
				x = &http1.Exchange{}
			}
			assert.Equal(t, c.want, written(t, c.req(), x))
			assert.True(t, x.Sent)
			assert.True(t, x.Fresh)
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"CRLF in a value":    func(r *http.Request) { r.Header["A"] = []string{"b\r\nC: d"} },
		"NUL in a value":     func(r *http.Request) { r.Header["A"] = []string{"b\x00"} },
		"LF in a name":       func(r *http.Request) { r.Header["A\nB"] = []string{"b"} },
		"empty name":         func(r *http.Request) { r.Header[""] = []string{"b"} },
		"space in a name":    func(r *http.Request) { r.Header["A "] = []string{"b"} },
		"method":             func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX:" },
		"query":              func(r *http.Request) { r.URL.RawQuery = "a b" },
		"query with CRLF":    func(r *http.Request) { r.URL.RawQuery = "a\r\nb" },
		"opaque":             func(r *http.Request) { r.URL.Opaque = "/x y" },
		"path without slash": func(r *http.Request) { r.URL.Path = "x" },
		"host":               func(r *http.Request) { r.Host = "a\r\nb" },
		"host with a space":  func(r *http.Request) { r.Host = "a b" },
		"no URL":             func(r *http.Request) { r.URL = nil },
		"length, no body":    func(r *http.Request) { r.Body, r.ContentLength = nil, 5 },
		"wrong length":       func(r *http.Request) { r.ContentLength = 6 },
	} {
		t.Run(name, func(t *testing.T) {
			e := play(t, always(ok))
			req := newRequest(t, "POST", "hello")
			body := &closeCounter{Reader: req.Body}
			req.Body = http.NoBody
			if name == "wrong length" {
				req.Body = io.NopCloser(strings.NewReader("hello"))
			} else {
				req.Body, req.ContentLength = body, -1
			}
			change(req)
			closes := req.Body == body
			var x http1.Exchange
			_, err := e.pool(t, http1.PoolOptions{}).Send(req, &x)
			_, refused := errors.AsType[*http1.RequestError](err)
			require.True(t, refused, "%v", err)
			assert.False(t, x.Sent)
			assert.Zero(t, e.accepted.Load())
			if closes {
				assert.Equal(t, 1, body.closed)
			}
		})
	}
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestResponses(t *testing.T) {
	for _, c := range []struct {
		name, method, raw string
		status            int
		length            int64
		body              string
		reused            bool
	}{
		{"sized", "GET", ok, 200, 2, "ok", true},
		{"empty", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0, "", true},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", 200, -1, "ok", true},
		{"until close", "GET", "HTTP/1.1 200 OK\r\n\r\nok", 200, -1, "ok", false},
		{"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, 2, "ok", false},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, 2, "", true},
		{"HEAD chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, -1, "", true},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, 0, "", true},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, 0, "", true},
		{"1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2, "ok", false},
		{"1.0 keep-alive", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", 200, 2, "ok", true},
		{"both framings", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, -1, "ok", false},
		{"same length twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, 2, "ok", true},
		{"too much", "GET", ok + "HTTP/1.1 200 OK\r\n", 200, 2, "ok", false},
		{"too much after chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX", 200, -1, "ok", false},
		{"body of a HEAD", "HEAD", ok, 200, 2, "", false},
		{"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, 2, "ok", true},
	} {
		for _, recycle := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
						if _, err := http.ReadRequest(r); err != nil {
							return
						}
						_, _ = io.WriteString(conn, c.raw)
						if c.name == "until close" {
							return
						}
						_, _ = http.ReadRequest(r)
					})
					p := e.pool(t, http1.PoolOptions{Recycle: recycle})
					req := newRequest(t, c.method, "")
					resp, err := p.RoundTrip(req)
					require.NoError(t, err)
					assert.Equal(t, c.status, resp.StatusCode)
					assert.Equal(t, c.length, resp.ContentLength)
					assert.Same(t, req, resp.Request)
					b, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, c.body, string(b))
					require.NoError(t, resp.Body.Close())
					open, idle, _ := p.Stats()
					want := 0
					if c.reused {
						want = 1
					}
					assert.Equal(t, [2]int{want, want}, [2]int{open, idle})
				})
			})
		}
	}
}

// malformed are responses that must give an error, in the head or in the body.
func malformed() map[string]string {
	return map[string]string{
		"nonsense":                   "hello\r\n\r\n",
		"version":                    "HTTP/2.0 200 OK\r\n\r\n",
		"status":                     "HTTP/1.1 2x0 OK\r\n\r\n",
		"status 0":                   "HTTP/1.1 000 OK\r\n\r\n",
		"two lengths":                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"length list":                "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
		"signed length":              "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"negative length":            "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"huge length":                "HTTP/1.1 200 OK\r\nContent-Length: 92233720368547758080\r\n\r\nok",
		"two codings":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"coding twice":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"coding in 1.0":              "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"space before the colon":     "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
		"folded":                     "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
		"bare LF":                    "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"CR in a value":              "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 2\r\n\r\nok",
		"NUL in a value":             "HTTP/1.1 200 OK\r\nA: b\x00c\r\nContent-Length: 2\r\n\r\nok",
		"no colon":                   "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
		"chunk size":                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n",
		"chunk size 0x":              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n",
		"chunk size too large":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n0\r\n\r\n",
		"chunk longer than its size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n",
		"chunk with bare LF":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n",
		"bad trailer":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA b\r\n\r\n",
		"short body":                 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
		"short chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
		"no last chunk":              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
		"half a head":                "HTTP/1.1 200 OK\r\nContent-Le",
		"nothing":                    "",
		"unasked 101":                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"long status line":           "HTTP/1.1 200 " + strings.Repeat("x", 10<<10) + "\r\n\r\n",
		"long header":                "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 70<<10) + "\r\n\r\n",
		"many headers":               "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 120) + "\r\n",
		"1xx without end":            strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000),
	}
}

func TestMalformedResponses(t *testing.T) {
	for name, raw := range malformed() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
					_, _ = http.ReadRequest(r)
					_, _ = io.WriteString(conn, raw)
				})
				p := e.pool(t, http1.PoolOptions{MaxHeaderBytes: 64 << 10, MaxHeaders: 100})
				resp, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				require.Error(t, err)
				t.Log(err)
				open, _, _ := p.Stats()
				assert.Zero(t, open)
				if _, typed := errors.AsType[*http1.ResponseError](err); !typed {
					assert.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
				}
			})
		})
	}
}

func TestTrailersOfResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nok\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"))
		resp, err := e.pool(t, http1.PoolOptions{}).RoundTrip(newRequest(t, http.MethodGet, ""))
		require.NoError(t, err)
		assert.Equal(t, http.Header{"A": nil}, resp.Trailer)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, http.Header{"A": {"1"}, "B": {"2"}}, resp.Trailer)
		require.NoError(t, resp.Body.Close())
	})
}

func TestInformationalResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, always("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"+ok))
		p := e.pool(t, http1.PoolOptions{})
		var got, traced []int
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				traced = append(traced, code)
				if code == 103 {
					assert.Equal(t, "x", h.Get("Link"))
				}
				return nil
			},
		})
		x := &http1.Exchange{Informational: func(code int, h http.Header) error {
			got = append(got, code)
			if code == 103 {
				assert.Equal(t, "x", h.Get("Link"))
			}
			return nil
		}}
		resp, err := p.Send(newRequest(t, http.MethodGet, "").WithContext(ctx), x)
		require.NoError(t, err)
		assert.Empty(t, resp.Header.Get("Link"))
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, []int{103, 102}, got)
		assert.Equal(t, []int{103, 102}, traced)

		_, err = p.Send(newRequest(t, http.MethodGet, ""), &http1.Exchange{Informational: func(int, http.Header) error { return errors.New("no") }})
		require.EqualError(t, err, "no")
	})
}

func TestResponseUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			assert.Equal(t, "Upgrade", req.Header.Get("Connection"))
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nahead,")
			_, _ = io.Copy(c, r)
		})
		p := e.pool(t, http1.PoolOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		req := newRequest(t, http.MethodGet, "").WithContext(ctx)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		resp, err := p.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 101, resp.StatusCode)
		assert.Equal(t, "echo", resp.Header.Get("Upgrade"))
		cancel() // the connection is the caller's now
		rw := resp.Body.(io.ReadWriteCloser)
		_, err = io.WriteString(rw, "hello")
		require.NoError(t, err)
		require.NoError(t, rw.(interface{ CloseWrite() error }).CloseWrite())
		b, err := io.ReadAll(rw)
		require.NoError(t, err)
		assert.Equal(t, "ahead,hello", string(b))
		open, _, _ := p.Stats()
		assert.Equal(t, 1, open)
		require.NoError(t, rw.Close())
		open, _, _ = p.Stats()
		assert.Zero(t, open)
	})
}

func TestResponseToConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var line string
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			line, _ = r.ReadString('\n')
			for l := line; l != "\r\n" && l != ""; l, _ = r.ReadString('\n') {
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nahead,")
			_, _ = io.Copy(c, r)
		})
		req := newRequest(t, http.MethodConnect, "")
		req.URL = &url.URL{Host: "far:443"}
		req.Host = "far:443"
		resp, err := e.pool(t, http1.PoolOptions{}).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, "CONNECT far:443 HTTP/1.1\r\n", line)
		rw := resp.Body.(io.ReadWriteCloser)
		_, err = io.WriteString(rw, "hello")
		require.NoError(t, err)
		require.NoError(t, rw.(interface{ CloseWrite() error }).CloseWrite())
		b, err := io.ReadAll(rw)
		require.NoError(t, err)
		assert.Equal(t, "ahead,hello", string(b))
		require.NoError(t, rw.Close())
	})
}

func TestExpectContinue(t *testing.T) {
	for _, c := range []struct {
		name    string
		reply   func(c io.Writer, r *bufio.Reader)
		status  int
		body    string // as the endpoint read it
		took    time.Duration
		reused  bool
		streams bool
	}{
		{name: "continue", status: 200, body: "hello", reused: true, reply: func(w io.Writer, _ *bufio.Reader) { _, _ = io.WriteString(w, "HTTP/1.1 100 Continue\r\n\r\n") }},
		{name: "continue, streamed", status: 200, body: "hello", reused: true, streams: true, reply: func(w io.Writer, _ *bufio.Reader) {
			_, _ = io.WriteString(w, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
		}},
		{name: "silent", status: 200, body: "hello", took: time.Second, reused: true, reply: func(io.Writer, *bufio.Reader) {}},
		{name: "final", status: 417, body: "", streams: true, reply: func(w io.Writer, _ *bufio.Reader) {
			_, _ = io.WriteString(w, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got atomic.Value
				e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					assert.Equal(t, "100-continue", req.Header.Get("Expect"))
					c.reply(conn, r)
					b, _ := io.ReadAll(req.Body)
					got.Store(string(b))
					_, _ = io.WriteString(conn, ok)
					_, _ = r.ReadByte()
				})
				p := e.pool(t, http1.PoolOptions{})
				req := newRequest(t, http.MethodPost, "hello")
				req.Header.Set("Expect", "100-continue")
				body := &slowReader{parts: []string{"hel", "lo"}}
				if c.streams {
					req.Body, req.GetBody = body, nil
				}
				begun := time.Now()
				resp, err := p.RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, c.status, resp.StatusCode)
				assert.Equal(t, c.took, time.Since(begun))
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				synctest.Wait()
				assert.Equal(t, c.body, got.Load())
				open, _, _ := p.Stats()
				assert.Equal(t, c.reused, open == 1)
				if c.streams {
					assert.EqualValues(t, 1, body.closed.Load())
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	for _, c := range []struct{ name, raw string }{
		{"before the head", ""},
		{"in the head", "HTTP/1.1 200 OK\r\nA: "},
		{"in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
					_, _ = http.ReadRequest(r)
					_, _ = io.WriteString(conn, c.raw)
					_, err := r.ReadByte()
					assert.Error(t, err)
				})
				p := e.pool(t, http1.PoolOptions{})
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
				defer cancel()
				var x http1.Exchange
				resp, err := p.Send(newRequest(t, http.MethodGet, "").WithContext(ctx), &x)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				require.ErrorIs(t, err, cause)
				assert.True(t, x.Sent)
				open, _, _ := p.Stats()
				assert.Zero(t, open)
			})
		})
	}
}

func TestResponseReadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			for _, part := range []string{"HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\n", "o"} {
				time.Sleep(900 * time.Millisecond)
				_, _ = io.WriteString(c, part)
			}
			_, _ = r.ReadByte()
		})
		p := e.pool(t, http1.PoolOptions{ReadTimeout: time.Second})
		begun := time.Now()
		resp, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		assert.Equal(t, "o", string(b))
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, 3700*time.Millisecond, time.Since(begun))
		require.NoError(t, resp.Body.Close())
	})
}

func TestCloseEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
			_, _ = r.ReadByte()
		})
		p := e.pool(t, http1.PoolOptions{})
		resp, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Second)
			assert.NoError(t, resp.Body.Close())
		}()
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
		synctest.Wait()
		open, _, _ := p.Stats()
		assert.Zero(t, open)
	})
}

func TestCloseReadsTheLittleThatIsLeft(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		pause     time.Duration
		rest      string
		reused    bool
	}{
		{"last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", time.Millisecond, "0\r\n\r\n", true},
		{"few bytes", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", time.Millisecond, strings.Repeat("x", 100), true},
		{"too late", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", time.Second, strings.Repeat("x", 100), false},
		{"too much", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 0, strings.Repeat("x", 50000), false},
		{"endless", "HTTP/1.1 200 OK\r\n\r\n", 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := play(t, func(_ int, conn *memhttp.Conn, r *bufio.Reader) {
					_, _ = http.ReadRequest(r)
					_, _ = io.WriteString(conn, c.raw)
					time.Sleep(c.pause)
					_, _ = io.WriteString(conn, c.rest)
					_, _ = r.ReadByte()
				})
				p := e.pool(t, http1.PoolOptions{})
				resp, err := p.RoundTrip(newRequest(t, http.MethodGet, ""))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				_, err = resp.Body.Read(make([]byte, 1))
				require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
				open, idle, _ := p.Stats()
				assert.Equal(t, c.reused, open == 1 && idle == 1)
				assert.Equal(t, c.reused, open == 1)
			})
		})
	}
}
