package http1_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/transport/http1"
)

const benchRequest = "GET /some/path?x=y HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nX-Request-Id: 1234567890\r\n" +
	"L5d-Ctx-Trace: abcdefghijklmnopqrstuvwxyzabcdefghijklmnop\r\nCookie: a=b\r\n\r\n"

func benchHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = plain
	w.Write(hello)
}

var (
	plain = []string{"text/plain"}
	hello = []byte("hello, world")
)

// BenchmarkServer compares a request's cost, the caller's included, with that of net/http's server over loopback.
func BenchmarkServer(b *testing.B) {
	for name, serve := range map[string]func(net.Listener) func(){
		"http1": func(l net.Listener) func() {
			s := http1.NewServer(http1.ServerOptions{Handler: http.HandlerFunc(benchHandler)})
			go s.Serve(l)
			return func() { s.Close() }
		},
		"http1-recycle": func(l net.Listener) func() {
			s := http1.NewServer(http1.ServerOptions{Handler: http.HandlerFunc(benchHandler), Recycle: true})
			go s.Serve(l)
			return func() { s.Close() }
		},
		"net-http": func(l net.Listener) func() {
			s := &http.Server{Handler: http.HandlerFunc(benchHandler)}
			go s.Serve(l)
			return func() { s.Close() }
		},
	} {
		b.Run(name, func(b *testing.B) {
			l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
			require.NoError(b, err)
			defer serve(l)()
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				br := bufio.NewReader(c)
				for pb.Next() {
					c.Write([]byte(benchRequest))
					for {
						line, err := br.ReadSlice('\n')
						if err != nil {
							b.Error(err)
							return
						}
						if len(line) == 2 {
							break
						}
					}
					br.Discard(len(hello))
				}
			})
		})
	}
}
