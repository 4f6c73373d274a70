package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"

	"github.com/weft-mesh/weft/transport/http1"
)

// start serves h on a port of this machine, and returns its address and what ends it.
func start(h http.Handler) (addr string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := http1.NewServer(http1.ServerOptions{Handler: h})
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { _ = s.Close() }
}

func ask(rt http.RoundTripper, url string) {
	resp, err := (&http.Client{Transport: rt}).Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(b))
}

// A Server takes any http.Handler.
func ExampleServer() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s", r.PathValue("name"))
	})
	s := http1.NewServer(http1.ServerOptions{Handler: mux, MaxBodyBytes: 1 << 20})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()

	tr := &http1.Transport{}
	defer tr.Close()
	ask(tr, "http://"+l.Addr().String()+"/hello/weft")

	_ = s.Shutdown(context.Background())
	fmt.Println(errors.Is(<-served, http.ErrServerClosed))
	// Output:
	// 200 hello, weft
	// true
}

// A reverse proxy is a handler that sends what it is asked on. Here it copies headers;
// see HeaderAdopter for how not to.
func Example_reverseProxy() {
	origin, stop := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s via %s", r.URL.Path, r.Header.Get("Via"))
	}))
	defer stop()

	tr := &http1.Transport{}
	defer tr.Close()
	proxy, stop := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context()) // which ends when the caller hangs up
		out.URL.Scheme, out.URL.Host = "http", origin
		for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade", "Expect"} {
			out.Header.Del(name) // they are for one hop
		}
		out.Header.Set("Via", "1.1 example")
		resp, err := tr.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body) // an error is the end of one of the two
	}))
	defer stop()

	ask(tr, "http://"+proxy+"/path")
	// Output: 200 /path via 1.1 example
}
