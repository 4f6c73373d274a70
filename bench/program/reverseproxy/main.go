// Command reverseproxy is httputil.ReverseProxy with nothing added: what net/http
// costs. Usage: reverseproxy -upstream HOST:PORT [-plain ADDR] [-tls ADDR -cert FILE
// -key FILE] [-h2]; with -h2 it speaks HTTP/2 on both sides.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	upstream := flag.String("upstream", "", "`address` of the upstream")
	plain := flag.String("plain", "", "`address` to listen on without TLS")
	secure := flag.String("tls", "", "`address` to listen on with TLS")
	cert := flag.String("cert", "", "certificate `file`")
	key := flag.String("key", "", "key `file`")
	h2 := flag.Bool("h2", false, "speak HTTP/2 on both sides")
	flag.Parse()

	handler := proxy(*upstream, *h2)
	failed := make(chan error, 2)
	go func() { failed <- server(*plain, handler, *h2).ListenAndServe() }()
	if *secure != "" {
		go func() { failed <- server(*secure, handler, *h2).ListenAndServeTLS(*cert, *key) }()
	}
	fmt.Fprintln(os.Stderr, "reverseproxy:", <-failed)
	os.Exit(1) //nolint:forbidigo // the end of a program
}

func server(addr string, h http.Handler, h2 bool) *http.Server {
	return &http.Server{Addr: addr, Handler: h, Protocols: protocols(h2), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
}

// protocols are the ones that a side speaks: one of them, so that a measurement knows
// which it was.
func protocols(h2 bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(!h2)
	p.SetHTTP2(h2)
	p.SetUnencryptedHTTP2(h2)
	return p
}

func proxy(upstream string, h2 bool) http.Handler {
	to := &url.URL{Scheme: "http", Host: upstream}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			Protocols: protocols(h2), DisableCompression: true,
			MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, // the default of 2 makes every load a load of connects
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if !errors.Is(err, http.ErrAbortHandler) {
				w.WriteHeader(http.StatusBadGateway)
			}
		},
	}
}
