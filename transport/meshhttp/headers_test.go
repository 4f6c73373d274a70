package meshhttp_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// TestHopByHop is V31 to V33.
func TestHopByHop(t *testing.T) {
	stripped := []string{"Proxy-Authenticate", "Proxy-Authorization", "TE", "Connection", "Foo", "Bar", "Keep-Alive"}
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", func(rw http.ResponseWriter, _ *http.Request) {
			for _, name := range stripped {
				rw.Header().Set(name, "x")
			}
			rw.Header().Set("Connection", "Keep-Alive, Foo ,, Bar")
			rw.Header().Set("Upgrade", "x")
			rw.Header().Set("Keep", "y")
		})
		c := call{host: "h", header: []string{"Keep: y", "Proxy-Connection: z", "Upgrade: x"}}
		for _, name := range stripped {
			if name != "Connection" {
				c.header = append(c.header, name+": x")
			}
		}
		c.header = append(c.header, "Connection: Keep-Alive, Foo ,, Bar", "Connection: Keep")
		resp := do(c)
		assert.Equal(t, 200, resp.StatusCode)
		got := ds.last(t).Header
		for _, name := range append(stripped, "Upgrade") {
			assert.NotContains(t, got, http.CanonicalHeaderKey(name), "V31, V32: in the request")
			assert.NotContains(t, resp.Header, http.CanonicalHeaderKey(name), "V31, V32: in the response")
		}
		assert.Equal(t, "y", got.Get("Keep"), "only the first Connection header is read")
		assert.Equal(t, "z", got.Get("Proxy-Connection"), "goes only if it is named")
		assert.Equal(t, "y", resp.Header.Get("Keep"))

		do(call{host: "h", header: []string{"Connection: close"}})
		assert.NotContains(t, ds.last(t).Header, "Connection", "V33")
		assert.Equal(t, 1, ds.connections(), "V33: the caller's wish is for its own connection")

		do(call{host: "h", header: []string{"Connection: via, l5d-dst-service, l5d-dst-client"}})
		got = ds.last(t).Header
		assert.NotContains(t, got, "Via", "what was added above the stripping can be taken back")
		assert.NotContains(t, got, "L5d-Dst-Service")
		assert.Contains(t, got, "L5d-Dst-Client", "and what is added below it cannot")
	})
}

// TestVia is V34.
func TestVia(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("h", func(rw http.ResponseWriter, r *http.Request) {
			if v := r.Header.Get("Test-Via"); v != "" {
				rw.Header().Set("Via", v)
			}
		})
		resp := do(call{host: "h"})
		assert.Equal(t, []string{"1.1 linkerd"}, ds.last(t).Header["Via"])
		assert.Equal(t, []string{"1.1 linkerd"}, resp.Header["Via"])
		do(call{host: "h", proto: "HTTP/1.0"})
		assert.Equal(t, []string{"1.0 linkerd"}, ds.last(t).Header["Via"])
		resp = do(call{host: "h", header: []string{"Via: 1.0 fred, 1.1 p.example", "Via: 1.1 dropped", "Test-Via: 1.1 a"}})
		assert.Equal(t, []string{"1.0 fred, 1.1 p.example, 1.1 linkerd"}, ds.last(t).Header["Via"])
		assert.Equal(t, []string{"1.1 a, 1.1 linkerd"}, resp.Header["Via"])

		w.raw("old", true, "HTTP/1.0 200 OK\r\n\r\nhi")
		resp = do(call{host: "old"})
		assert.Equal(t, []string{"1.0 linkerd"}, resp.Header["Via"], "by the version of the response")
		assert.Equal(t, "hi", resp.body)
	})
}

// TestAbsoluteForm is V36 to V38.
func TestAbsoluteForm(t *testing.T) {
	rows := []struct{ id, target, uri string }{
		{"V36", "http://acme.co:8080/foo", "/foo"},
		{"V37", "http://acme.co:8080/foo?text=hello%20world", "/foo?text=hello%20world"},
		{"V38", "http://acme.co:8080/foo?x=R%26D", "/foo?x=R%26D"},
		{"no path", "http://acme.co:8080", "/"},
		{"only a query", "http://acme.co:8080?a=b", "/?a=b"},
		{"a URL in the query", "http://acme.co:8080/?to=http://other/x", "/?to=http://other/x"},
	}
	for _, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				t := w.t
				ds := w.serve("acme.co:8080", nil)
				resp := overWire(t, w, call{host: "example.com:9000", header: []string{"Proxy-Foo: Bar"}}, r.target)
				assert.Equal(t, 200, resp.StatusCode, resp.body)
				got := ds.last(t)
				assert.Equal(t, "acme.co:8080", got.Host)
				assert.Equal(t, r.uri, got.RequestURI)
				assert.Equal(t, "Bar", got.Header.Get("Proxy-Foo"))
			})
		})
	}
}

// TestAuthority is V45.
func TestAuthority(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("monkeys", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", "http://acme.co/bar")
			rw.Header().Set("Refresh", "5; url=http://acme.co/bar")
			rw.WriteHeader(http.StatusFound)
		})
		w.putSet("monkeys", weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: ds.addr}}, Meta: map[string]string{"authority": "acme.co"}})
		resp := do(call{host: "monkeys"})
		assert.Equal(t, "acme.co", ds.last(t).Host)
		assert.Equal(t, "http://monkeys/bar", resp.Header.Get("Location"))
		assert.Equal(t, "5; url=http://monkeys/bar", resp.Header.Get("Refresh"))
	})
}

// TestListenerHeaders is V39 to V44: what only a listener adds.
func TestListenerHeaders(t *testing.T) {
	s := setup{server: meshhttp.ServerOptions{
		TimestampHeader: "x-request-start",
		Forwarded:       &meshhttp.Forwarded{By: meshhttp.StaticLabel("http"), For: meshhttp.IP{}},
	}}
	inWorld(t, s, func(w *world) {
		t := w.t
		ds := w.serve("h", nil)
		proxied(t, w, call{host: "h", header: []string{"Forwarded: for=_a", "x-request-start: 7", "X-Forwarded-For: 1.1.1.1"}})
		got := ds.last(t).Header
		assert.Equal(t, []string{"for=_a", "by=_http;for=10.255.0.1;host=h"}, got["Forwarded"], "V39, V40: added to what there is")
		assert.Equal(t, "1.1.1.1", got.Get("X-Forwarded-For"), "never written")
		stamps := got["X-Request-Start"]
		require.Len(t, stamps, 2, "V44: added, not replaced")
		ms, err := strconv.ParseInt(stamps[1], 10, 64)
		require.NoError(t, err)
		assert.Equal(t, time.Now().UnixMilli(), ms)
		overWire(t, w, call{host: "x"}, "https://h/")
		assert.Equal(t, "by=_http;for=10.255.0.1;host=h;proto=https", ds.last(t).Header.Get("Forwarded"), "V41")
	})
	inWorld(t, setup{}, func(w *world) {
		t := w.t
		ds := w.serve("h", nil)
		proxied(t, w, call{host: "h"})
		assert.NotContains(t, ds.last(t).Header, "Forwarded")
		assert.NotContains(t, ds.last(t).Header, "X-Request-Start", "V44")
	})
}

// TestClearContext is V54 and V55.
func TestClearContext(t *testing.T) {
	inWorld(t, setup{server: meshhttp.ServerOptions{ClearContext: true}}, func(w *world) {
		t := w.t
		ds := w.serve("h", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("l5d-thing", "x")
			_, _ = rw.Write([]byte("body"))
		})
		in := telemetry.NewTrace()
		resp := proxied(t, w, call{host: "h", header: []string{
			"l5d-dtab: /foo=>/bar", "l5d-ctx-thing: yoooooo", "L5D-CTX-TRACE: " + in.EncodeString(), "dtab-local: /a=>/b",
			"l5d-ctx-deadline: 1 2", "l5d-sample: 1",
		}})
		assert.Equal(t, 200, resp.StatusCode)
		got := ds.last(t)
		assert.Equal(t, []string{"l5d-ctx-trace", "l5d-dst-client", "l5d-dst-service", "l5d-reqid"}, got.l5d(), "V54")
		assert.Equal(t, "/a=>/b", got.Header.Get("dtab-local"))
		assert.NotEqual(t, in.ReqID(), got.Header.Get("l5d-reqid"))
		assert.Equal(t, "body", resp.body)
		for name := range resp.Header {
			assert.False(t, strings.HasPrefix(name, "L5d-"), name)
		}

		w.put("closed", w.address())
		resp = proxied(t, w, call{host: "closed"})
		assert.Equal(t, 502, resp.StatusCode, "V55")
		assert.Empty(t, resp.body, "V55")
		for _, name := range []string{"l5d-err", "l5d-success-class", "l5d-retryable"} {
			assert.Empty(t, resp.Header.Get(name), "V55")
		}
	})
}
