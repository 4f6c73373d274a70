//go:build unix

package http2_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http2"
)

func sayHello(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = []string{"text/plain"}
	_, _ = io.WriteString(w, "Hello world\n")
}

// serveStd serves h by net/http, whose HTTP/2 is golang.org/x/net/http2.
func serveStd(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func serveWeft(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := http2.NewServer(http2.ServerOptions{Handler: h})
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func clientStd(b *testing.B) http.RoundTripper {
	b.Helper()
	rt := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}
	rt.Protocols.SetUnencryptedHTTP2(true)
	b.Cleanup(rt.CloseIdleConnections)
	return rt
}

func clientWeft(b *testing.B) http.RoundTripper {
	b.Helper()
	rt := http2.NewTransport(http2.TransportOptions{})
	b.Cleanup(func() { _ = rt.Close() })
	return rt
}

// cpuTime is what the process has used, in nanoseconds: wall time says little about what
// a proxy costs, and nothing on a busy machine.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkRoundTrip compares client and server with net/http's, one call at
// a time and many.
func BenchmarkRoundTrip(b *testing.B) {
	clients := map[string]func(*testing.B) http.RoundTripper{"std": clientStd, "weft": clientWeft}
	servers := map[string]func(*testing.B, http.Handler) string{"std": serveStd, "weft": serveWeft}
	for _, body := range []string{"", strings.Repeat("x", 1000)} {
		for _, client := range []string{"std", "weft"} {
			for _, server := range []string{"std", "weft"} {
				name := "get"
				if body != "" {
					name = "post"
				}
				b.Run(name+"/client="+client+"/server="+server, func(b *testing.B) {
					addr := servers[server](b, http.HandlerFunc(sayHello))
					rt := clients[client](b)
					call(b, rt, "http://"+addr+"/a", body)
					b.ReportAllocs()
					b.SetParallelism(32)
					b.ResetTimer()
					start := cpuTime(b)
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							call(b, rt, "http://"+addr+"/a", body)
						}
					})
					b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
				})
			}
		}
	}
}

func call(tb testing.TB, rt http.RoundTripper, url, body string) {
	tb.Helper()
	var rd io.Reader
	method := http.MethodGet
	if body != "" {
		rd, method = strings.NewReader(body), http.MethodPost
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, url, rd)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Error(err)
		return
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Error(err)
	}
	_ = resp.Body.Close()
}

// BenchmarkPick is what the relay pays for a connection.
func BenchmarkPick(b *testing.B) {
	addr := serveWeft(b, http.HandlerFunc(sayHello))
	c := http2.NewClient(http2.ClientOptions{Dial: dialTo(addr)})
	defer c.Close()
	call(b, c, "http://web/", "")
	b.ReportAllocs()
	for b.Loop() {
		if c.Pick() == nil {
			b.Fatal("no connection")
		}
	}
}
