package meshhttp

import (
	"net/http"
	"testing"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
)

// BenchmarkMetrics is a proxied request with all metrics and with none, so that their
// cost is the difference: 1 µs is what they may cost.
func BenchmarkMetrics(b *testing.B) {
	for _, name := range []string{"off", "on"} {
		b.Run(name, func(b *testing.B) {
			var tree *telemetry.Tree
			if name == "on" {
				tree = telemetry.NewTree(telemetry.Options{})
				defer tree.Close()
			}
			names, err := static.New(static.Config{Names: map[string][]string{"web": {"10.0.0.1:80", "10.0.0.2:80"}}})
			if err != nil {
				b.Fatal(err)
			}
			in := naming.NewInterpreter(naming.Options{Base: dtab.MustParse("/svc => /#/static"), Namers: naming.Namers{{Prefix: dtab.MustPath("/#/static"), Namer: names}}})
			defer in.Close()
			t, err := New(Options{
				wire: func(weft.Endpoint, ClientSettings, *clientStats) upstream {
					return &canned{resp: http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: 12}}
				},
				Mesh: transport.Options{Interpreter: in, Label: "http", Metrics: tree.Scope("rt", "http")},
			})
			if err != nil {
				b.Fatal(err)
			}
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
		})
	}
}
