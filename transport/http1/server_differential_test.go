package http1_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http1"
)

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}
func (l *oneConn) Addr() net.Addr { return place("server") }

// exchangeView is what a handler saw of a request and a caller of the response.
type exchangeView struct{ Request, Response string }

func viewRequest(r *http.Request) string {
	before := fmt.Sprintf("%s %s %s %v len=%d te=%v host=%s close=%v uri=%s remote=%s announced=%v url=%#v",
		r.Method, r.Proto, r.URL, r.Header, r.ContentLength, r.TransferEncoding, r.Host, r.Close, r.RequestURI, r.RemoteAddr, r.Trailer, *r.URL)
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%s body=%q err=%v trailer=%v", before, body, err, r.Trailer)
}

// behave answers in the way that the path names.
func behave(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = []string{"text/plain"}
	h.Add("X-Multi", "1")
	h.Add("X-Multi", "2")
	switch r.URL.Path {
	case "/empty":
	case "/nil-type":
		h["Content-Type"] = nil
		io.WriteString(w, "x")
	case "/long":
		io.WriteString(w, strings.Repeat("0123456789", 10_000))
	case "/long-declared":
		h.Set("Content-Length", "100000")
		io.WriteString(w, strings.Repeat("0123456789", 10_000))
	case "/flush":
		for range 3 {
			io.WriteString(w, "piece ")
			w.(http.Flusher).Flush()
		}
	case "/204":
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNoContent)
	case "/304":
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
	case "/404":
		http.Error(w, "no such thing", http.StatusNotFound)
	case "/redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case "/trailers":
		h.Set("Trailer", "X-One, x-two")
		io.WriteString(w, "body")
		h.Set("X-One", "1")
		h.Set("X-Two", "2")
		h.Set(http.TrailerPrefix+"X-Three", "3")
	case "/close":
		h.Set("Connection", "close")
		io.WriteString(w, "bye")
	case "/info":
		h.Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "done")
	case "/short":
		h.Set("Content-Length", "10")
		io.WriteString(w, "short")
	case "/over":
		h.Set("Content-Length", "3")
		_, err := io.WriteString(w, "too long")
		if !errors.Is(err, http.ErrContentLength) {
			panic("no error")
		}
	case "/crlf":
		h.Set("X-Odd", "a\r\nb")
	case "/abort":
		io.WriteString(w, "some")
		panic(http.ErrAbortHandler)
	case "/reader":
		io.Copy(w, io.MultiReader(strings.NewReader(strings.Repeat("a", 500)), strings.NewReader("end")))
	case "/hijack":
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		rest := make([]byte, rw.Reader.Buffered())
		io.ReadFull(rw, rest)
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n[%s]", rest)
		rw.Flush()
	default:
		io.WriteString(w, "hello")
	}
}

// talk sends text to a server and returns what was seen at both ends.
func talk(t *testing.T, serve func(net.Listener, http.Handler) func(), method, text string) (views []exchangeView) {
	t.Helper()
	var requests []string
	var mu sync.Mutex
	l := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	stop := serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := viewRequest(r)
		mu.Lock()
		requests = append(requests, seen)
		mu.Unlock()
		behave(w, r)
	}))
	defer stop()
	a, b := memhttp.Pipe(place("caller"), place("server"))
	l.conn <- b
	go io.WriteString(a, text)
	go func() {
		synctest.Wait() // so that the end of the requests is not taken for that of the caller
		a.CloseWrite()
	}()
	br, answered := bufio.NewReader(a), 0
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			break
		}
		resp.Header.Del("Date")
		if resp.Close {
			resp.Header.Del("Connection") // what it said is in Close
		}
		body, err := io.ReadAll(resp.Body)
		seen := fmt.Sprintf("%d %s %v len=%v close=%v body=%q err=%v trailer=%v", resp.StatusCode, resp.Proto, resp.Header, max(resp.ContentLength, int64(len(body))), resp.Close, body, err, resp.Trailer)
		view := exchangeView{Response: seen}
		if resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			mu.Lock()
			if len(requests) > answered {
				view.Request = requests[answered]
			}
			mu.Unlock()
			answered++
		}
		views = append(views, view)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(requests) > answered {
		views = append(views, exchangeView{Request: strings.Join(requests[answered:], "; "), Response: "none"})
	}
	a.Close()
	return views
}

// TestServerLikeNetHTTP has the same requests seen alike by a handler, and its responses by a
// caller, whether net/http serves them or we do.
func TestServerLikeNetHTTP(t *testing.T) {
	t.Parallel()
	forms := []struct{ method, text string }{
		{"GET", "GET %s HTTP/1.1\r\nHost: example.com:80\r\nX-A: 1\r\nx-a: 2\r\nAccept: */*\r\nEmpty:\r\n\r\n"},
		{"GET", "GET %s?a=b&c=%%20 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"},
		{"GET", "GET http://other:81%s?q HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"GET", "GET %s HTTP/1.0\r\n\r\n"},
		{"GET", "GET %s HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\nGET %[1]s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
		{"HEAD", "HEAD %s HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"POST", "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPOST %[1]s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		{"POST", "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-T, X-U\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\nX-V: 2\r\n\r\n"},
		{"POST", "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc"},
		{"PUT", "PUT %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"},
		{"M-SEARCH", "M-SEARCH %s HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
	}
	paths := []string{
		"/", "/empty", "/nil-type", "/long", "/long-declared", "/flush", "/204", "/304", "/404", "/redirect", "/trailers", "/close", "/info", "/short", "/over", "/crlf",
		"/abort", "/reader", "/hijack", "//two//slashes", "/a%2fb%20c", "/a%20b", "/\"<>", "/a;b=c,d", "/%41", "/~!$&'()*+,;=:@[]",
	}
	ours := func(recycle bool) func(l net.Listener, h http.Handler) func() {
		return func(l net.Listener, h http.Handler) func() {
			s := http1.NewServer(http1.ServerOptions{Handler: h, Recycle: recycle})
			go s.Serve(l)
			return func() { s.Close() }
		}
	}
	theirs := func(l net.Listener, h http.Handler) func() {
		s := &http.Server{Handler: h, DisableGeneralOptionsHandler: true}
		go s.Serve(l)
		return func() { s.Close() }
	}
	const head, cutOff = 5, 8
	differs := func(form int, path string) bool {
		old := strings.Contains(forms[form].text, "HTTP/1.0")
		switch {
		case path == "/info" && old, path == "/trailers" && old:
			return true // net/http sends HTTP/1.0 callers what they cannot understand
		case form == head && (path == "/long" || path == "/trailers"):
			return true // we have larger buffers, so that more lengths are known
		}
		return false
	}
	for i, form := range forms {
		for _, path := range paths {
			if differs(i, path) {
				continue
			}
			t.Run(fmt.Sprintf("%d%s", i, path), func(t *testing.T) {
				t.Parallel()
				text := fmt.Sprintf(form.text, path)
				var want, got, recycled []exchangeView
				synctest.Test(t, func(t *testing.T) { want = talk(t, theirs, form.method, text) })
				synctest.Test(t, func(t *testing.T) { got = talk(t, ours(false), form.method, text) })
				synctest.Test(t, func(t *testing.T) { recycled = talk(t, ours(true), form.method, text) })
				require.NotEmpty(t, want)
				if i == cutOff {
					// We say that we close a connection that has broken down.
					for _, views := range [][]exchangeView{want, got, recycled} {
						for i := range views {
							views[i].Response = ""
						}
					}
				}
				assert.Equal(t, want, got)
				assert.Equal(t, want, recycled)
			})
		}
	}
}
