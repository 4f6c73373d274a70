package meshhttp_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestMiddleware: a call that is made while serving inherits the trace, the
// deadline and the dtab, without the application doing anything.
func TestMiddleware(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		app2 := w.serve("app2", nil)
		var inner *http.Request
		app := meshhttp.Middleware(meshhttp.MiddlewareOptions{})(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			inner = r
			for range 2 {
				req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://app2/", http.NoBody)
				resp, err := rt.RoundTrip(req)
				if err != nil {
					rw.WriteHeader(599)
					return
				}
				_ = resp.Body.Close()
			}
		}))
		w.serve("app", app.ServeHTTP)
		in := telemetry.NewTrace()
		req := newRequest(t, http.MethodGet, "http://app/", nil)
		req.Header.Set("l5d-ctx-trace", in.EncodeString())
		req.Header.Set("l5d-dtab", "/x=>/y")
		req.Header["L5d-Ctx-Thing"] = []string{"a", "b"}
		name, value, _ := strings.Cut(deadlineIn(time.Minute), ": ")
		req.Header.Set(name, value)
		assert.Equal(t, 200, readReply(roundTrip(t, w.mesh, req)).StatusCode)
		assert.Equal(t, "/x=>/y", weft.LocalDtab(inner.Context()).String())
		assert.NotContains(t, inner.Header, "L5d-Ctx-Dtab")
		if rt != http.RoundTripper(w.mesh) {
			return // a plain client does not know of contexts
		}
		require.Len(t, app2.requests(), 2)
		var spans []uint64
		for _, got := range app2.requests() {
			out, err := telemetry.ParseTrace(got.Header.Get("l5d-ctx-trace"))
			require.NoError(t, err)
			assert.Equal(t, in.TraceLow, out.TraceLow)
			spans = append(spans, out.Span)
			assert.Equal(t, "/x=>/y", got.Header.Get("l5d-ctx-dtab"))
			assert.Equal(t, []string{"a", "b"}, got.Header["L5d-Ctx-Thing"], "what is not ours is carried on too")
			assert.Equal(t, value, got.Header.Get("l5d-ctx-deadline"))
		}
		assert.NotEqual(t, spans[0], spans[1], "every call has its own span")

		req = newRequest(t, http.MethodGet, "http://app/", nil)
		readReply(roundTrip(t, w.proxyClient(nil), req))
		all := app2.requests()
		require.Len(t, all, 4)
		assert.Equal(t, all[2].Header.Get("l5d-reqid"), all[3].Header.Get("l5d-reqid"), "calls of one request share a trace")
	})
	t.Run("a bad dtab", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			app := meshhttp.Middleware(meshhttp.MiddlewareOptions{})(http.NotFoundHandler())
			ds := w.listen("10.0.1.1:80", "", app.ServeHTTP)
			conn := &http.Transport{DialContext: w.net.DialContext}
			defer conn.CloseIdleConnections()
			req := newRequest(w.t, http.MethodGet, "http://"+ds.addr, nil)
			req.Header.Set("l5d-dtab", "nonsense")
			resp := readReply(roundTrip(w.t, conn, req))
			assert.Equal(w.t, 400, resp.StatusCode)
			assert.Contains(w.t, resp.body, "expected but")
		})
	})
}

// keeper is a tracer that keeps what it is told.
type keeper struct {
	mu    sync.Mutex
	spans []telemetry.Span
}

func (k *keeper) Record(s telemetry.Span) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, s)
}

// annotations returns those of the spans, merged by time, client spans inside of
// server spans.
func annotations(s telemetry.Span) string {
	var all []string
	for _, a := range s.Annotations {
		all = append(all, a.Value)
	}
	return strings.Join(all, " ")
}

// TestSpans is control-plane 7.13: the annotations in their order, the tags, and a
// row on the page of recent requests.
func TestSpans(t *testing.T) {
	kept, recent := &keeper{}, telemetry.NewRecent(0)
	s := withClassifier(meshhttp.Read)
	s.rules = "/svc => /#/w; /svc/res => /#/w/ds/left"
	s.mesh.Tracers = telemetry.NewTracers(telemetry.Sampled{Tracer: kept, Rate: 1}, telemetry.Sampled{Tracer: recent, Rate: 1})
	inWorld(t, s, func(w *world) {
		t := w.t
		ds := w.serve("ds", alternate("", 500, 200))
		assert.Equal(t, 200, proxied(t, w, call{host: "res", uri: "/x?y=z", header: []string{"l5d-dtab: /a=>/b"}}).StatusCode)
		synctest.Wait()
		require.Len(t, kept.spans, 3)
		first, second, server := kept.spans[0], kept.spans[1], kept.spans[2]
		assert.Equal(t, "cs ws wr l5d.retryable cr", annotations(first))
		assert.Equal(t, "cs ws wr l5d.success cr", annotations(second))
		assert.Equal(t, "wr sr ss ws", annotations(server))
		assert.Equal(t, telemetry.ServerSpan, server.Kind)
		assert.Equal(t, telemetry.ClientSpan, first.Kind)
		assert.Equal(t, "GET", first.Name)
		assert.Equal(t, "r1 /svc/res", server.Name)
		assert.Equal(t, server.Trace.Span, first.Trace.Parent)
		assert.Equal(t, server.Trace.Span, second.Trace.Parent)
		for key, want := range map[string]string{
			"router.label": "r1", "service": "/svc/res", "client": "/#/w/ds", "residual": "/left", "dtab.local": "/a=>/b",
			"dtab.base": "/svc=>/#/w;/svc/res=>/#/w/ds/left", "sa": proxyAddr, "http.method": "GET", "http.uri": "/x?y=z",
			"http.status_code": "200", "finagle.retry": "1", "io.buoyant.router.Failure": "",
		} {
			assert.Equal(t, want, server.Lookup(key), key)
		}
		assert.NotEmpty(t, server.Lookup("ca"))
		for key, want := range map[string]string{"clnt/finagle.label": "/#/w/ds", "sa": ds.addr, "http.uri": "/x?y=z", "http.status_code": "500"} {
			assert.Equal(t, want, first.Lookup(key), key)
		}
		rows := recent.Requests()
		require.Len(t, rows, 1)
		assert.Equal(t, "/svc/res", rows[0].Logical)
		assert.Equal(t, "/#/w/ds", rows[0].Concrete)
		assert.Equal(t, ds.addr, rows[0].Destination)
		assert.Equal(t, proxyAddr, rows[0].Server)

		kept.spans = nil
		proxied(t, w, call{host: "unknown"})
		synctest.Wait()
		require.Len(t, kept.spans, 1)
		assert.Equal(t, "ClientAcquisition", kept.spans[0].Lookup("io.buoyant.router.Failure"))
		proxied(t, w, call{host: "res", header: []string{"l5d-sample: 0"}})
		synctest.Wait()
		assert.Len(t, kept.spans, 1, "not sampled")
	})
}

// TestAccessLog: a line for every attempt that got a response, none for the rest.
func TestAccessLog(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	s := withClassifier(meshhttp.Read)
	s.client = func(string) (o transport.ClientOptions, set meshhttp.ClientSettings) {
		set.AccessLog = func(e meshhttp.AccessEntry) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, e.Request.Host+" "+e.Request.Method+" "+e.Request.URL.RequestURI()+" "+e.Request.Proto+" "+itoa(e.Response.StatusCode)+" #"+itoa(e.Attempt))
			assert.Equal(t, "/svc/ds", e.Service.String())
			assert.Equal(t, "ds", e.Client.Elem(e.Client.Len()-1))
			assert.NotEmpty(t, e.Endpoint)
			assert.False(t, e.Trace.IsZero())
			assert.GreaterOrEqual(t, e.Latency, time.Duration(0))
		}
		return o, set
	}
	onAllFaces(t, s, func(w *world, do func(call) reply) {
		lines = nil
		w.serve("ds", alternate("", 500, 200))
		w.put("closed", w.address())
		do(call{host: "ds", uri: "/a|b?c"})
		do(call{host: "unknown"})
		do(call{host: "closed"})
		do(call{host: "ds", proto: "HTTP/1.0"})
		assert.Equal(w.t, []string{"ds GET /a|b?c HTTP/1.1 500 #1", "ds GET /a|b?c HTTP/1.1 200 #2", "ds GET / HTTP/1.0 200 #1"}, respell(lines))
	})
}

// respell undoes what package url does to a URI that a client in the process made.
func respell(lines []string) []string {
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "%7C", "|")
	}
	return lines
}

// TestFullDuplex: a response may begin before the request has ended.
func TestFullDuplex(t *testing.T) {
	onAllClients(t, setup{}, func(w *world, rt http.RoundTripper) {
		t := w.t
		w.serve("ds", func(rw http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(rw)
			_ = rc.EnableFullDuplex()
			buf := make([]byte, 10)
			for {
				n, err := r.Body.Read(buf)
				_, _ = rw.Write(buf[:n])
				_ = rc.Flush()
				if err != nil {
					return
				}
			}
		})
		pr, pw := io.Pipe()
		req := newRequest(t, http.MethodPost, "http://ds/", pr)
		req.Header.Set("Test-Read", "no")
		go func() { _, _ = io.WriteString(pw, "one") }()
		resp := roundTrip(t, rt, req)
		got := make([]byte, 3)
		for _, text := range []string{"one", "two", "six"} {
			_, err := io.ReadFull(resp.Body, got)
			require.NoError(t, err)
			assert.Equal(t, text, string(got))
			if text != "six" {
				next := map[string]string{"one": "two", "two": "six"}[text]
				_, err = io.WriteString(pw, next)
				require.NoError(t, err)
			}
		}
		require.NoError(t, pw.Close())
		_, err := resp.Body.Read(got)
		require.ErrorIs(t, err, io.EOF)
	})
}
