package http2_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http2"
)

// app is what the corpus is sent to.
func app() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-Length", strconv.FormatInt(r.ContentLength, 10))
		w.Header().Set("X-Query", r.URL.RawQuery)
		w.Header().Set("X-Proto", r.Proto)
		w.Header()["X-Multi"] = r.Header["X-Multi"]
		w.Header().Set("X-Cookie", r.Header.Get("Cookie"))
		w.Header().Set("X-Te", r.Header.Get("Te"))
		w.Header().Set("X-Hop", r.Header.Get("Connection")+r.Header.Get("Keep-Alive")+r.Header.Get("X-Dropped"))
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		announced := slices.Sorted(maps.Keys(r.Trailer))
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%q then %v of %d", announced, r.Trailer, len(body))
		w.Header().Set("X-Sum", fmt.Sprintf("%x", sha256.Sum256(body)))
		w.Header().Set(http.TrailerPrefix+"X-Late", "came late")
	})
	mux.HandleFunc("/grpc", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.WriteHeader(http.StatusOK)
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "5")
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		w.Header().Set("X-Code", r.PathValue("code"))
		w.WriteHeader(code)
		_, err := io.WriteString(w, "text of "+r.PathValue("code"))
		_ = err
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, "no more")
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Link", "</b.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "page")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 5 {
			_, _ = fmt.Fprintf(w, "part %d\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = io.CopyN(w, rand.NewChaCha8([32]byte{}), int64(n))
	})
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		_, _ = fmt.Fprintf(w, "%d %v %x", n, err, h.Sum(nil))
	})
	mux.HandleFunc("/abort", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "12345")
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 10))
		_, _ = io.WriteString(w, "read ten")
	})
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html><body>") })
	mux.HandleFunc("/nothing", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// exchange is one of the corpus.
type exchange struct {
	name, method, path string
	header             http.Header
	body               func() io.Reader // nil: none
	length             int64            // 0: as NewRequest finds out
	trailer            http.Header      // set when the body has been read
}

func corpus() []exchange {
	text := func(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }
	random := func(n int64) func() io.Reader {
		return func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), n) }
	}
	return []exchange{
		{name: "get", method: "GET", path: "/echo?a=b&c=%20d"},
		{name: "head", method: "HEAD", path: "/html"},
		{name: "head of much", method: "HEAD", path: "/big?n=100000"},
		{name: "options", method: "OPTIONS", path: "/echo"},
		{name: "post", method: "POST", path: "/echo", body: text("hello")},
		{name: "post of nothing", method: "POST", path: "/echo"},
		{name: "post of empty", method: "POST", path: "/echo", body: func() io.Reader { return io.MultiReader() }},
		{name: "post of unknown length", method: "POST", path: "/echo", body: random(5000)},
		{name: "post of 100 kB", method: "POST", path: "/echo", body: random(100_000)},
		{name: "post of 100 kB from memory", method: "POST", path: "/echo", body: func() io.Reader { return bytes.NewReader(make([]byte, 100_000)) }},
		{name: "post of a length", method: "PUT", path: "/echo", body: random(70_000), length: 70_000},
		{name: "headers", method: "GET", path: "/echo", header: http.Header{
			"X-Multi": {"a", "b", ""}, "Cookie": {"a=b; c=d", "e=f"}, "Te": {"trailers"},
			"User-Agent": {"test"}, "Accept-Encoding": {"gzip"},
		}},
		{name: "hop-by-hop", method: "GET", path: "/echo", header: http.Header{"Keep-Alive": {"3"}, "Proxy-Connection": {"keep-alive"}}},
		{name: "trailers", method: "POST", path: "/trailers", body: random(10_000), trailer: http.Header{"X-A": {"1"}, "X-B": {"2"}}},
		{name: "trailers of a short body", method: "POST", path: "/trailers", body: text("abc"), trailer: http.Header{"X-A": {"1"}}},
		{name: "grpc trailers only", method: "POST", path: "/grpc", body: text("x")},
		{name: "204", method: "GET", path: "/status/204"},
		{name: "304", method: "GET", path: "/status/304"},
		{name: "404", method: "GET", path: "/status/404"},
		{name: "500", method: "POST", path: "/status/500", body: text("abc")},
		{name: "no handler", method: "GET", path: "/none"},
		{name: "early", method: "POST", path: "/early", body: random(1_000_000)},
		{name: "early hints", method: "GET", path: "/hints"},
		{name: "flushes", method: "GET", path: "/slow"},
		{name: "download", method: "GET", path: "/big?n=3000000"},
		{name: "download of a buffer", method: "GET", path: "/big?n=4096"},
		{name: "download of a buffer and one", method: "GET", path: "/big?n=4097"},
		{name: "upload", method: "POST", path: "/sum", body: random(3_000_000)},
		{name: "aborted", method: "GET", path: "/abort"},
		{name: "aborted at once", method: "GET", path: "/die"},
		{name: "shorter than announced", method: "GET", path: "/short"},
		{name: "upload not read", method: "POST", path: "/half", body: random(500_000)},
		{name: "sniffed", method: "GET", path: "/html"},
		{name: "nothing", method: "GET", path: "/nothing"},
		{name: "expect", method: "POST", path: "/sum", body: random(10_000), header: http.Header{"Expect": {"100-continue"}}},
		{name: "expect, refused", method: "POST", path: "/early", body: random(10_000), header: http.Header{"Expect": {"100-continue"}}},
	}
}

// trailed sets the trailer when the body ends.
type trailed struct {
	io.Reader
	req     *http.Request
	trailer http.Header
}

func (b *trailed) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		maps.Copy(b.req.Trailer, b.trailer)
	}
	return n, err
}

// view is what an application sees of an exchange.
type view struct {
	Err     bool
	Status  string
	Proto   string
	Length  int64
	Header  http.Header
	Body    string
	BodyErr bool
	Trailer http.Header
	Infos   []string
}

func (e *exchange) do(t *testing.T, rt http.RoundTripper, url string) view {
	t.Helper()
	var v view
	var mu sync.Mutex
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			v.Infos = append(v.Infos, fmt.Sprint(code, " ", h.Get("Link")))
			return nil
		},
	})
	var body io.Reader
	if e.body != nil {
		body = e.body()
	}
	req, err := http.NewRequestWithContext(ctx, e.method, url+e.path, body)
	require.NoError(t, err)
	maps.Copy(req.Header, e.header)
	if e.length > 0 {
		req.ContentLength = e.length
	}
	if e.trailer != nil {
		req.Trailer = http.Header{}
		for k := range e.trailer {
			req.Trailer[k] = nil
		}
		req.Body = io.NopCloser(&trailed{req.Body, req, e.trailer})
		req.GetBody = nil
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return view{Err: true}
	}
	defer resp.Body.Close()
	announced := slices.Sorted(maps.Keys(resp.Trailer))
	data, err := io.ReadAll(resp.Body)
	mu.Lock()
	defer mu.Unlock()
	v.Status, v.Proto, v.Length = resp.Status, resp.Proto, resp.ContentLength
	v.Header, v.Trailer, v.BodyErr = resp.Header, resp.Trailer, err != nil
	if err != nil {
		data = nil // how much came before is a matter of chance
	}
	v.Body = string(data)
	if len(data) > 1000 {
		v.Body = fmt.Sprintf("%d bytes %x", len(data), sha256.Sum256(data))
	}
	v.Body += fmt.Sprint(announced)
	v.Header.Del("Date")
	if len(v.Trailer) == 0 {
		v.Trailer = nil
	}
	return v
}

// TestDifferential sends the same corpus in all combinations of client and server: the
// application must not see which engine it is on.
func TestDifferential(t *testing.T) {
	for _, secure := range []bool{false, true} {
		sides := []side{theirs(secure), ours(secure)}
		urls := []string{sides[0].serve(t, app()), sides[1].serve(t, app())}
		clients := []http.RoundTripper{sides[0].client(t), sides[1].client(t)}
		for _, e := range corpus() {
			t.Run(fmt.Sprintf("tls=%t/%s", secure, e.name), func(t *testing.T) {
				want := e.do(t, clients[0], urls[0])
				for ci, c := range sides {
					for si, s := range sides {
						if ci == 0 && si == 0 {
							continue
						}
						got := e.do(t, clients[ci], urls[si])
						assert.Equal(t, want, got, "client %s, server %s", c.name, s.name)
					}
				}
			})
		}
	}
}

// TestManyAtOnce runs many streams on the connections that there are.
func TestManyAtOnce(t *testing.T) {
	for _, pair := range [][2]side{{ours(false), ours(false)}, {ours(false), theirs(false)}, {theirs(false), ours(false)}} {
		t.Run(pair[0].name+" to "+pair[1].name, func(t *testing.T) {
			url := pair[1].serve(t, app())
			rt := pair[0].client(t)
			var wg sync.WaitGroup
			for i := range 300 {
				wg.Go(func() {
					body := bytes.Repeat([]byte{byte(i)}, 100*i)
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/echo", bytes.NewReader(body))
					if !assert.NoError(t, err) {
						return
					}
					resp, err := rt.RoundTrip(req)
					if !assert.NoError(t, err) {
						return
					}
					defer resp.Body.Close()
					got, err := io.ReadAll(resp.Body)
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(body, got))
				})
			}
			wg.Wait()
		})
	}
}

// TestPeerWithoutHTTP2: an https server that speaks HTTP/1 only.
func TestPeerWithoutHTTP2(t *testing.T) {
	s := httptest.NewTLSServer(app())
	defer s.Close()
	rt := ours(true).client(t)
	_, err := rt.RoundTrip(getRequest(t, s.URL+"/echo"))
	var de *http2.DialError
	require.ErrorAs(t, err, &de)
	assert.True(t, de.Handshake)
	assert.Contains(t, err.Error(), "no application protocol")
}

// TestTransportForgetsHosts: a host without connections takes no memory.
func TestTransportForgetsHosts(t *testing.T) {
	url := ours(false).serve(t, app())
	rt := http2.NewTransport(http2.TransportOptions{})
	for range 3 {
		resp, err := rt.RoundTrip(getRequest(t, url+"/nothing"))
		require.NoError(t, err)
		_ = resp.Body.Close()
		rt.CloseIdleConnections()
	}
	require.NoError(t, rt.Close())
	_, err := rt.RoundTrip(getRequest(t, url+"/nothing"))
	require.ErrorIs(t, err, http2.ErrClosed)
	_, err = rt.RoundTrip(getRequest(t, "ftp://a/"))
	require.ErrorContains(t, err, `scheme of the URL is "ftp"`)
}
