package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// view is what an application sees of a response.
type view struct {
	Failed          bool
	Status, Proto   string
	Code            int
	Header, Trailer http.Header
	Length          int64
	Codings         []string
	Close           bool
	Body            string
}

// look sends a request with the given method through rt to an endpoint that replies
// raw and closes.
func look(t *testing.T, method, raw string, transport func(e *endpoint) http.RoundTripper) (v view) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := play(t, func(_ int, c *memhttp.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err == nil {
				_, _ = io.WriteString(c, raw)
				_ = c.CloseWrite()
				_, _ = io.Copy(io.Discard, r)
			}
		})
		rt := transport(e)
		resp, err := rt.RoundTrip(newRequest(t, method, ""))
		if err != nil {
			t.Log(err)
			v.Failed = true
		} else {
			b, err := io.ReadAll(resp.Body)
			v = view{
				Failed: err != nil, Status: resp.Status, Proto: resp.Proto, Code: resp.StatusCode, Header: resp.Header, Trailer: resp.Trailer,
				Length: resp.ContentLength, Codings: resp.TransferEncoding, Close: resp.Close, Body: string(b),
			}
			require.NoError(t, resp.Body.Close())
		}
		switch rt := rt.(type) {
		case *http.Transport:
			rt.CloseIdleConnections()
		case *http1.Pool:
			require.NoError(t, rt.Close())
		}
	})
	if v.Failed {
		return view{Failed: true}
	}
	if len(v.Trailer) == 0 {
		v.Trailer = nil
	}
	return v
}

func ours(e *endpoint) http.RoundTripper { return http1.NewPool(http1.PoolOptions{Dial: e.dial}) }
func theirs(e *endpoint) http.RoundTripper {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) }
	return &http.Transport{DialContext: dial, DisableCompression: true}
}

// wellFormed are responses that both engines must see alike.
func wellFormed() map[string]string {
	return map[string]string{
		"plain":               ok,
		"no reason":           "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
		"odd reason":          "HTTP/1.1 299 Odd  one\r\nContent-Length: 2\r\n\r\nok",
		"no length":           "HTTP/1.1 200 OK\r\n\r\nok",
		"no length, close":    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
		"empty":               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"headers":             "HTTP/1.1 200 OK\r\na-b: 1\r\nA-B: 2\r\nx:\r\ny: \t z \t\r\nContent-Length: 0\r\n\r\n",
		"headers, all tokens": "HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09az: 1\r\nETag: \"x\"\r\nWWW-Authenticate: a\r\nContent-Length: 0\r\n\r\n",
		"obs-text":            "HTTP/1.1 200 OK\r\nA: \xe4\xff\r\nContent-Length: 0\r\n\r\n",
		"chunked":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nA\r\n0123456789\r\n0\r\n\r\n",
		"Chunked":             "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n00002\r\nok\r\n0\r\n\r\n",
		"extensions":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nok\r\n0;x\r\n\r\n",
		"trailer":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A, b\r\n\r\n2\r\nok\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
		"unannounced trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: 1\r\n\r\n",
		"204":                 "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
		"304":                 "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
		"304 with length":     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
		"100":                 "HTTP/1.1 100 Continue\r\n\r\n" + ok,
		"103":                 "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok,
		"1.0":                 "HTTP/1.0 200 OK\r\n\r\nok",
		"1.0 sized":           "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"1.0 keep-alive":      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
		"equal lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"connection options":  "HTTP/1.1 200 OK\r\nConnection: x, Close ,y\r\nContent-Length: 2\r\n\r\nok",
		"404":                 "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
		"binary":              "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\x00\r\n\r\n\xff",
		"odd Content_Length":  "HTTP/1.1 200 OK\r\nContent_Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"both framings":       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	}
}

// Where we differ from net/http on purpose.
func deliberate() map[string]string {
	return map[string]string{
		"bare LF":                "lines end with CRLF: a lone LF is a line end to some and none to others",
		"folded":                 "folded lines are refused, not joined",
		"coding in 1.0":          "Transfer-Encoding in HTTP/1.0 is refused, not ignored",
		"both framings":          "Close says that the connection ends: its framing cannot be trusted",
		"long status line":       "the status line has a limit of its own",
		"version":                "HTTP/1.0 and 1.1 only",
		"status 0":               "status codes begin at 100",
		"space before the colon": "refused, not taken for a part of the name",
		"unasked 101":            "101 is for those who asked for it",
		"odd Content_Length":     "gateways take it for Content-Length",
	}
}

// sameish takes away what differs everywhere: net/http removes a Connection field that
// says close, with what else it says, and keeps the space before an empty reason. And
// it gives a 204 to HEAD an unknown length, where nothing is unknown.
func sameish(v view) view {
	if v.Close && v.Header != nil {
		v.Header = v.Header.Clone()
		v.Header.Del("Connection")
	}
	v.Status = strings.TrimRight(v.Status, " ")
	if v.Code == http.StatusNoContent {
		v.Length = 0
	}
	return v
}

func TestSameViewAsNetHTTP(t *testing.T) {
	cases := wellFormed()
	maps.Copy(cases, malformed())
	differ := deliberate()
	for name, raw := range cases {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(method+" "+name, func(t *testing.T) {
				a, b := sameish(look(t, method, raw, ours)), sameish(look(t, method, raw, theirs))
				if differ[name] != "" {
					assert.NotEqual(t, b, a, "they do not differ any more")
					return
				}
				assert.Equal(t, b, a)
			})
		}
	}
}

// Whatever an endpoint sends, nothing breaks, and what follows an error or is left over
// is never taken for the next response.
func FuzzResponse(f *testing.F) {
	for _, raw := range wellFormed() {
		f.Add([]byte(raw), false)
	}
	for _, raw := range malformed() {
		f.Add([]byte(raw), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		if len(raw) > 60<<10 {
			return // more than a connection in memory takes without a reader
		}
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		synctest.Test(t, func(t *testing.T) {
			e := play(t, func(n int, c *memhttp.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				if n == 1 {
					_, _ = c.Write(raw)
				}
				if req, err := http.ReadRequest(r); n == 1 && err == nil {
					// The connection was used again, so the response was whole and nothing more.
					assert.NotNil(t, req)
				}
			})
			p := e.pool(t, http1.PoolOptions{MaxHeaderBytes: 16 << 10, ReadTimeout: 1e9})
			resp, err := p.RoundTrip(newRequest(t, method, ""))
			if err != nil {
				open, _, _ := p.Stats()
				assert.Zero(t, open)
				return
			}
			var got bytes.Buffer
			_, err = got.ReadFrom(resp.Body)
			require.NoError(t, resp.Body.Close())
			open, idle, _ := p.Stats()
			assert.Equal(t, open, idle)
			if err != nil {
				assert.Zero(t, open)
				return
			}
			if idle > 0 && resp.ContentLength >= 0 && method == http.MethodGet && resp.StatusCode != http.StatusNotModified {
				assert.EqualValues(t, resp.ContentLength, got.Len())
			}
			if idle > 0 {
				assert.True(t, bytes.HasSuffix(raw, []byte("\r\n\r\n")) || bytes.HasSuffix(raw, got.Bytes()), "nothing follows what was read")
			}
		})
	})
}
