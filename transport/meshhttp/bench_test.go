package meshhttp_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// BenchmarkClient is a request of an http.Client over loopback: to one fixed
// endpoint over a plain http.Transport, and through the mesh with everything on.
// cpu-ns/op is what the process spent, the endpoint's side included, which is the
// same for all and as cheap as can be.
func BenchmarkClient(b *testing.B) {
	addr := startResponder(b)
	plain := &http.Transport{DisableCompression: true}
	defer plain.CloseIdleConnections()
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
		url  string
	}{
		{"plain", plain, "http://" + addr + "/"},
		{"mesh", benchMesh(b, addr, false), "http://web/"},
		{"mesh on net/http", benchMesh(b, addr, true), "http://web/"},
	} {
		b.Run(c.name, func(b *testing.B) {
			client := &http.Client{Transport: c.rt}
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				resp, err := client.Get(c.url)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// benchMesh is a mesh in which /svc/web is the endpoint at addr.
func benchMesh(b *testing.B, addr string, netHTTP bool) http.RoundTripper {
	b.Helper()
	names, err := static.New(static.Config{Names: map[string][]string{"web": {addr}}})
	require.NoError(b, err)
	in := naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc=>/#/static"), Namers: naming.Namers{{Prefix: names.Prefix(), Namer: names}},
	})
	tree := telemetry.NewTree(telemetry.Options{})
	mesh, err := meshhttp.New(meshhttp.Options{
		NetHTTP:    netHTTP,
		Classifier: meshhttp.Read,
		Tracers:    telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(100), Rate: 0.001}),
		Mesh: transport.Options{
			Interpreter: in, Label: "http", Metrics: tree.Scope("rt", "http"),
			Client: func(dtab.Path) transport.ClientOptions {
				return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}, FailFast: true}
			},
		},
	})
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, mesh.Close())
		require.NoError(b, in.Close())
		tree.Close()
	})
	return mesh
}

// startResponder answers every request with the same few bytes.
func startResponder(b *testing.B) string {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = l.Close() })
	reply := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello world\n")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					line, err := r.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) > 2 {
						continue
					}
					if _, err := c.Write(reply); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
