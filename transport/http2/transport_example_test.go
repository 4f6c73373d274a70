package http2_test

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/weft-mesh/weft/transport/http2"
)

// A server and a client that speak HTTP/2 in the clear, with prior knowledge.
func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := http2.NewServer(http2.ServerOptions{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%s %s %s", r.Proto, r.Method, r.URL.Path)
		}),
	})
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()

	transport := http2.NewTransport(http2.TransportOptions{})
	client := &http.Client{Transport: transport}
	resp, err := client.Get("http://" + l.Addr().String() + "/hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Println(resp.StatusCode, string(body))

	fmt.Println(transport.Close(), server.Close(), <-done)
	// Output:
	// 200 HTTP/2.0 GET /hello
	// <nil> <nil> http2: the server is closed
}
