// Command fasthttpproxy is the smallest reverse proxy on fasthttp: what HTTP/1.1 costs
// in Go without net/http. It buffers whole bodies, has no timeouts and one upstream.
// Usage: fasthttpproxy -upstream HOST:PORT -plain ADDR [-tls ADDR -cert FILE -key FILE].
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/valyala/fasthttp"
)

func main() {
	upstream := flag.String("upstream", "", "`address` of the upstream")
	plain := flag.String("plain", "", "`address` to listen on without TLS")
	secure := flag.String("tls", "", "`address` to listen on with TLS")
	cert := flag.String("cert", "", "certificate `file`")
	key := flag.String("key", "", "key `file`")
	flag.Parse()

	server := &fasthttp.Server{
		Handler: handler(*upstream), Concurrency: 1 << 15, NoDefaultServerHeader: true,
		DisableHeaderNamesNormalizing: true,
	}
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServe(*plain) }()
	if *secure != "" {
		go func() { failed <- server.ListenAndServeTLS(*secure, *cert, *key) }()
	}
	fmt.Fprintln(os.Stderr, "fasthttpproxy:", <-failed)
	os.Exit(1) //nolint:forbidigo // the end of a program
}

func handler(upstream string) fasthttp.RequestHandler {
	client := &fasthttp.HostClient{
		Addr: upstream, MaxConns: 4096, NoDefaultUserAgentHeader: true, DisableHeaderNamesNormalizing: true,
	}
	return func(ctx *fasthttp.RequestCtx) {
		ctx.Request.Header.Del("Connection")
		host := string(ctx.Request.Header.Host())
		ctx.Request.URI().SetScheme("http") // also for callers who use TLS
		ctx.Request.URI().SetHost(upstream)
		ctx.Request.Header.SetHost(host)
		ctx.Request.UseHostHeader = true
		if err := client.Do(&ctx.Request, &ctx.Response); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadGateway)
			return
		}
		ctx.Response.Header.Del("Connection")
	}
}
