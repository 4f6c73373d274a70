package meshhttp

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// canned is an upstream without a wire: what is measured is the mesh alone.
type canned struct{ resp http.Response }

func (c *canned) send(req *http.Request, s *sending) (*http.Response, error) {
	s.clean = true
	resp := c.resp
	resp.Request = req
	resp.Header = http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"12"}}
	resp.Body = io.NopCloser(strings.NewReader("Hello world\n"))
	return &resp, nil
}

func (*canned) tunnel(*http.Request) (net.Conn, error) { return nil, errNoConnection }
func (*canned) Close() error                           { return nil }

type discardWriter struct{ h http.Header }

func (w *discardWriter) Header() http.Header         { return w.h }
func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *discardWriter) WriteHeader(int)             {}

// BenchmarkMesh is what the mesh itself adds to a proxied request, everything on.
func BenchmarkMesh(b *testing.B) {
	tree := telemetry.NewTree(telemetry.Options{})
	names, err := static.New(static.Config{Names: map[string][]string{"web": {"10.0.0.1:80", "10.0.0.2:80"}}})
	if err != nil {
		b.Fatal(err)
	}
	in := naming.NewInterpreter(naming.Options{Base: dtab.MustParse("/svc => /#/static"), Namers: naming.Namers{{Prefix: dtab.MustPath("/#/static"), Namer: names}}})
	t, err := New(Options{
		wire: func(weft.Endpoint, ClientSettings, *clientStats) upstream {
			return &canned{resp: http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: 12}}
		},
		Mesh: transport.Options{
			Interpreter: in, Label: "http", Metrics: tree.Scope("rt", "http"),
			Client: func(dtab.Path) transport.ClientOptions {
				return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}
			},
		},
		Classifier: Read,
		Tracers:    telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(100), Rate: 0.001}),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer tree.Close()
	defer t.Close()
	h := NewHandler(ServerOptions{Transport: t, Label: "http", Recycle: true, Metrics: tree.Scope("rt", "http", "server", "x")})
	r, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
	r.RequestURI, r.RemoteAddr = "/", "127.0.0.1:1234"
	w := &discardWriter{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		r.Host = "web"
		r.Header = http.Header{"User-Agent": {"x"}, "Accept": {"*/*"}}
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}
