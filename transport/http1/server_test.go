package http1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// place is an address of a test.
type place string

func (place) Network() string  { return "mem" }
func (a place) String() string { return string(a) }

// raw is a caller that says exactly what a test wants it to.
type raw struct {
	*memhttp.Conn
	t  *testing.T
	br *bufio.Reader
}

// dial returns a connection that s serves.
func dial(t *testing.T, s *http1.Server) *raw {
	t.Helper()
	a, b := memhttp.Pipe(place("caller"), place("server"))
	go s.ServeConn(b)
	return &raw{Conn: a, t: t, br: bufio.NewReader(a)}
}

// send writes text.
func (r *raw) send(text string) {
	r.t.Helper()
	_, err := io.WriteString(r.Conn, text)
	require.NoError(r.t, err)
}

// response reads a response to a request of the given method, with its body.
func (r *raw) response(method string) (*http.Response, string) {
	r.t.Helper()
	resp, err := http.ReadResponse(r.br, &http.Request{Method: method})
	require.NoError(r.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, resp.Body.Close())
	return resp, string(body)
}

// closed asserts that the server closes the connection without saying any more.
func (r *raw) closed() {
	r.t.Helper()
	rest, err := io.ReadAll(r.br)
	assert.NoError(r.t, err)
	assert.Empty(r.t, string(rest))
}

// newServer returns a server with a handler, which the test closes at its end.
func newServer(t *testing.T, o http1.ServerOptions, h http.HandlerFunc) *http1.Server {
	t.Helper()
	o.Handler = h
	s := http1.NewServer(o)
	return s
}

// both runs a test with and without Recycle.
func both(t *testing.T, run func(t *testing.T, o http1.ServerOptions)) {
	t.Helper()
	for name, o := range map[string]http1.ServerOptions{"fresh": {NoDate: true}, "recycle": {NoDate: true, Recycle: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { run(t, o) })
		})
	}
}

func TestServerServes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, o http1.ServerOptions) {
		t.Helper()
		s := newServer(t, o, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Seen", r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery+" "+r.Host+" "+r.Header.Get("x-a"))
			io.WriteString(w, strings.ToUpper(string(body)))
		})
		defer s.Close()
		c := dial(t, s)
		for range 3 {
			c.send("POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc")
			resp, body := c.response("POST")
			assert.Equal(t, "ABC", body)
			assert.Equal(t, "POST /a/b?c=d h 1", resp.Header.Get("X-Seen"))
			assert.EqualValues(t, 3, resp.ContentLength)
			assert.False(t, resp.Close)
			c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			resp, body = c.response("GET")
			assert.Empty(t, body)
			assert.Equal(t, "GET /? h", resp.Header.Get("X-Seen"))
			time.Sleep(5 * time.Second) // buffers go, the connection stays
		}
		require.NoError(t, s.Shutdown(context.Background()))
		c.closed()
	})
}

var _ net.Addr = place("")
