package meshhttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Tracing without a proxy: the same Tracers for what a service serves and for what it
// calls. Every request is one trace, also where the caller or the one that is called
// knows traceparent or B3 instead of Linkerd's headers.
func ExampleMiddlewareOptions() {
	recent := telemetry.NewRecent(10) // telemetry/zipkin and telemetry/otlp export
	tracers := telemetry.NewTracers(telemetry.Sampled{Tracer: recent, Rate: 1})

	words := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("words got the trace", r.Header.Get("l5d-reqid"), "and", len(r.Header.Values("traceparent")), "traceparent")
	}))
	defer words.Close()
	names := fixed(map[string]*httptest.Server{"words": words})
	defer names.Close()
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{Interpreter: names, Label: "shop"}, Tracers: tracers})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mesh.Close()

	traced := meshhttp.Middleware(meshhttp.MiddlewareOptions{Tracers: tracers, Label: "shop"})
	shop := httptest.NewServer(traced(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://words/", http.NoBody)
		resp, err := mesh.RoundTrip(req)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	})))
	req, _ := http.NewRequest(http.MethodGet, shop.URL, http.NoBody)
	req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	shop.Close()
	for len(recent.Traces()) == 0 || len(recent.Traces()[0]) < 3 {
		time.Sleep(time.Millisecond) // spans end after the response
	}
	for _, span := range recent.Traces()[0] {
		fmt.Println(span.Kind, span.Name)
	}
	// Output:
	// words got the trace 8448eb211c80319c and 1 traceparent
	// client GET
	// local shop /svc/words
	// server shop
}
