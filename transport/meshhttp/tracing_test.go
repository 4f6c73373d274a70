package meshhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// TestMiddlewareSpan: the server's span is recorded, and what the handler sees in the
// headers is part of it.
func TestMiddlewareSpan(t *testing.T) {
	kept := &keeper{}
	var seen http.Header
	h := meshhttp.Middleware(meshhttp.MiddlewareOptions{
		Tracers: telemetry.NewTracers(telemetry.Sampled{Tracer: kept, Rate: 1}), Label: "shop",
	})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		require.NoError(t, http.NewResponseController(w).Flush())
		w.(http.Flusher).Flush()
	}))
	req := httptest.NewRequest(http.MethodGet, "http://shop/a?b", http.NoBody)
	req.Header.Set("traceparent", traceParent)
	req.Header.Set("tracestate", "a=b")
	h.ServeHTTP(httptest.NewRecorder(), req)
	require.Len(t, kept.spans, 1)
	s := kept.spans[0]
	assert.Equal(t, "shop", s.Name)
	assert.Equal(t, telemetry.ServerSpan, s.Kind)
	assert.Equal(t, "wr sr ss ws", annotations(s))
	assert.Equal(t, "418", s.Lookup("http.status_code"))
	assert.Equal(t, uint64(0xb7ad6b7169203331), s.Trace.Parent)
	assert.Contains(t, seen.Get("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-")
	assert.NotEqual(t, traceParent, seen.Get("traceparent"))
	assert.Equal(t, "a=b", seen.Get("tracestate"))

	seen = nil
	meshhttp.Middleware(meshhttp.MiddlewareOptions{})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })).ServeHTTP(
		httptest.NewRecorder(), req.Clone(t.Context()))
	assert.Len(t, seen.Get("traceparent"), len(traceParent))
}

// TestForeignTrace: an application's own span is the parent of the next one, and what
// came in goes out in the same form, with the state of others.
func TestForeignTrace(t *testing.T) {
	onAllFaces(t, setup{}, func(w *world, do func(call) reply) {
		t := w.t
		ds := w.serve("ds", nil)
		assert.Equal(t, 200, do(call{host: "ds", header: []string{"traceparent: " + traceParent, "tracestate: a=b", "tracestate: c=d"}}).StatusCode)
		got := ds.last(t).Header
		assert.Equal(t, traceParent, got.Get("traceparent"), "nobody records it here, so that it stays who it is")
		assert.Equal(t, []string{"a=b", "c=d"}, got.Values("tracestate"))
		l5d, err := telemetry.ParseTrace(got.Get("l5d-ctx-trace"))
		require.NoError(t, err)
		assert.Equal(t, uint64(0x0af7651916cd43dd), l5d.TraceHigh)
		assert.Equal(t, "8448eb211c80319c", got.Get("l5d-reqid"))

		do(call{host: "ds"})
		for _, name := range []string{"Traceparent", "B3", "X-B3-Traceid"} {
			assert.NotContains(t, ds.last(t).Header, name, "what did not come is not made up")
		}
	})
}
