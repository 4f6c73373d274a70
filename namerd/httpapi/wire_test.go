package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/transport/http1"
)

// wire serves a handler and returns where. Stop it before the handler is closed.
type wire func(t *testing.T, h http.Handler) (addr string, stop func())

func listen(t *testing.T) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return ln
}

func wires() map[string]wire {
	return map[string]wire{
		"net/http": func(t *testing.T, h http.Handler) (string, func()) {
			t.Helper()
			ln := listen(t)
			s := &http.Server{Handler: h}
			go s.Serve(ln)
			return ln.Addr().String(), func() { s.Close() }
		},
		"http1": func(t *testing.T, h http.Handler) (string, func()) {
			t.Helper()
			ln := listen(t)
			s := http1.NewServer(http1.ServerOptions{Handler: h, MaxLineBytes: 64 << 10, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
			go s.Serve(ln)
			return ln.Addr().String(), func() { s.Close() }
		},
	}
}

// raw sends a request as it is and returns the answer as it is, with the connection
// closed after it, but for the date.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(limit)))
	_, err = io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n"))
	require.NoError(t, err)
	b, err := io.ReadAll(c)
	require.NoError(t, err, "after %q", b)
	text := regexp.MustCompile("(?m)^(?i:date): .*\r\n").ReplaceAllString(string(b), "")
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// TestBytes are the details of headers.
func TestBytes(t *testing.T) {
	for name, w := range wires() {
		t.Run(name, func(t *testing.T) {
			s := serve(t, newFickle(t), httpapi.Options{})
			addr, stop := w(t, s.Handler)
			defer stop()
			ask := func(line, more string) string {
				if more == "" {
					more = "\n"
				}
				return raw(t, addr, line+" HTTP/1.1\nHost: namerd\nConnection: close\n"+more)
			}
			// HEAD: an ETag without quotes and no Content-Length.
			head := ask("HEAD /api/1/dtabs/default", "")
			assert.True(t, strings.HasPrefix(head, "HTTP/1.1 200 OK\n"), head)
			assert.Contains(t, head, "\nETag: AAAAAAAAAAE=\n")
			assert.NotContains(t, strings.ToLower(head), "content-length")
			assert.True(t, strings.HasSuffix(head, "\n\n"), head)

			get := ask("GET /api/1/dtabs/default", "")
			assert.Contains(t, get, "\nETag: AAAAAAAAAAE=\n")
			assert.Contains(t, get, "\nContent-Type: application/json\n")
			assert.True(t, strings.HasSuffix(get, "\n\n[{\"prefix\":\"/svc\",\"dst\":\"/#/n\"}]\n"), get)

			for _, path := range []string{"bind/default?path=/a", "addr/default?path=/%23/x", "addr/default?path=/#/x", "bind/nope?path=/a&dtab=/a=>/b;/c=>/d"} {
				if name == "http1" && strings.Contains(path, "#") {
					continue // it refuses such requests
				}
				bind := ask("GET /api/1/"+path, "")
				assert.True(t, strings.HasPrefix(bind, "HTTP/1.1 200 OK\n"), bind)
				assert.NotContains(t, strings.ToLower(bind), "content-type:")
				assert.True(t, strings.HasSuffix(bind, "\n\n{\"type\":\"neg\"}\n"), bind)
			}
			missing := ask("GET /api/1/dtabs/nope", "")
			assert.True(t, strings.HasPrefix(missing, "HTTP/1.1 404 Not Found\n"), missing)
			assert.NotContains(t, strings.ToLower(missing), "content-type:")
			assert.Contains(t, strings.ToLower(missing), "\nweft-error: the dtab namespace nope does not exist\n")
			assert.True(t, strings.HasSuffix(missing, "\n\n"), missing)

			// The namespace is what was sent, also in a request for a whole URL.
			for _, ns := range []string{"a%2fB", "a/b/", "x%7By", "{x}", "a//../b"} {
				if name == "http1" && strings.ContainsAny(ns, "{") {
					continue // it refuses such requests
				}
				made := ask("PUT http://namerd/api/1/dtabs/"+ns+"?x=y", "Content-Type: text/plain\nContent-Length: 6\n\n/a=>/b")
				assert.True(t, strings.HasPrefix(made, "HTTP/1.1 204 No Content\n"), ns+made)
				assert.Contains(t, ask("GET /api/1/dtabs", ""), `"`+ns+`"`)
				assert.True(t, strings.HasPrefix(ask("DELETE /api/1/dtabs/"+ns, ""), "HTTP/1.1 204"))
			}
			// Junk.
			for _, junk := range []string{
				"If-Match: \x80\xff", "Accept: ;;,,q=/", "Content-Type: a/b/c;;;", "weft-author: \xff\xfe", "Origin: ://", "Expect: the-unexpected",
				"Sec-Fetch-Site: \xff", "X: " + strings.Repeat("y", 4000),
			} {
				answer := ask("PUT /api/1/dtabs/default", junk+"\nContent-Length: 1\n\n~")
				assert.Regexp(t, `^HTTP/1.1 4\d\d `, answer, junk)
			}
			assert.Contains(t, ask("GET /api/1/dtabs/default", ""), "AAAAAAAAAAE=")
		})
	}
}

func TestChunks(t *testing.T) {
	for name, w := range wires() {
		t.Run(name, func(t *testing.T) {
			f := newFickle(t)
			s := serve(t, f, httpapi.Options{})
			addr, stop := w(t, s.Handler)
			defer stop()
			var d net.Dialer
			c, err := d.DialContext(t.Context(), "tcp", addr)
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(limit)))
			fmt.Fprint(c, "GET /api/1/bind/late?path=/a&watch=true HTTP/1.1\r\nHost: namerd\r\n\r\n")
			r := bufio.NewReader(c)
			head := ""
			for !strings.HasSuffix(head, "\r\n\r\n") {
				l, err := r.ReadString('\n')
				require.NoError(t, err)
				head += l
			}
			assert.Contains(t, strings.ToLower(head), "transfer-encoding: chunked\r\n")
			assert.NotContains(t, strings.ToLower(head), "content-type:")
			assert.NotContains(t, strings.ToLower(head), "content-length:")
			chunk := func(want string) {
				b := make([]byte, len(want))
				_, err := io.ReadFull(r, b)
				require.NoError(t, err)
				assert.Equal(t, want, string(b))
			}
			chunk("f\r\n{\"type\":\"neg\"}\n\r\n")
			_, err = f.Put(t.Context(), "late", nil, namerd.Note{}) // changes nothing for the name
			require.NoError(t, err)
			require.NoError(t, s.Close())
			chunk("0\r\n\r\n")
		})
	}
}

// TestLargeBodies: refused whether or not their length was said, without being read to
// the end.
func TestLargeBodies(t *testing.T) {
	for name, w := range wires() {
		t.Run(name, func(t *testing.T) {
			s := serve(t, newFickle(t), httpapi.Options{MaxBody: 1000, Stalled: 200 * time.Millisecond})
			addr, stop := w(t, s.Handler)
			defer stop()
			const head = "PUT /api/1/dtabs/default HTTP/1.1\nHost: namerd\nContent-Type: text/plain\n"
			a := raw(t, addr, head+"Content-Length: 1000000\n\n/a=>/b")
			assert.True(t, strings.HasPrefix(a, "HTTP/1.1 413 "), a)
			assert.Contains(t, a, "The request body is larger than 1000 bytes")
			a = raw(t, addr, head+"Transfer-Encoding: chunked\n\n7d0\n"+strings.Repeat("#", 2000)+"\n0\n\n")
			assert.True(t, strings.HasPrefix(a, "HTTP/1.1 413 "), a)
			assert.Contains(t, a, "The request body is larger than 1000 bytes")
			// And one that does not come.
			a = raw(t, addr, head+"Content-Length: 100\n\n/a=>/b")
			assert.True(t, strings.HasPrefix(a, "HTTP/1.1 400 "), a)
			assert.Contains(t, a, "The request body cannot be read")
			a = raw(t, addr, head+"Connection: close\nContent-Length: 6\n\n/a=>/b")
			assert.True(t, strings.HasPrefix(a, "HTTP/1.1 204 "), a)
		})
	}
}

// TestShutdown: a server that shuts down ends the watches by closing the handler.
func TestShutdown(t *testing.T) {
	s := serve(t, newFickle(t), httpapi.Options{})
	ln := listen(t)
	server := &http.Server{Handler: s.Handler}
	server.RegisterOnShutdown(func() { s.Close() })
	go server.Serve(ln)
	rsp, err := http.Get("http://" + ln.Addr().String() + "/api/1/dtabs?watch=true")
	require.NoError(t, err)
	defer rsp.Body.Close()
	require.NoError(t, server.Shutdown(t.Context()))
	b, err := io.ReadAll(rsp.Body)
	require.NoError(t, err)
	assert.Equal(t, "[\"default\"]\n", string(b))
}
