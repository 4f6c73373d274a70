// Command custom-proxy is weft's proxy with a namer of one's own, com.example.json,
// that finds services in a JSON file and follows its changes (see namer.go).
// Everything else is as in weft: the configuration, the other kinds, the admin server.
//
//	go run ./examples/custom-proxy weft.yaml
//
// serves a configuration such as the one below until it is interrupted. Without a file
// it writes one, sends requests through the proxy while the JSON file changes, and
// prints:
//
//	users is one
//	the file changed: users is two
//	the file is broken: users is two
//	nobody: 502 Bad Gateway
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// example is the configuration used if there is none. Port 0 is any free one.
const example = `
namers:
- kind: com.example.json
  file: services.json
  pollIntervalMs: 10
routers:
- protocol: http
  dtab: /svc => /#/com.example.json
  servers:
  - port: 0
admin:
  port: 0
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) == 0 {
		return demo(ctx, out)
	}
	p, err := newProxy(args[0])
	if err != nil {
		return err
	}
	addrs, err := p.Start()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "serving %v, admin on %s\n", addrs.Servers, addrs.Admin)
	return p.Wait(ctx)
}

// newProxy is all that a proxy of one's own takes: a registry with the kinds of weft
// and one's own, with which the file is read.
func newProxy(file string) (*proxy.Proxy, error) {
	registry, err := standard.Registry(jsonKind())
	if err != nil {
		return nil, err
	}
	yaml, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(file, yaml, config.Options{Registry: registry})
	if err != nil {
		return nil, err // every mistake in the file, with its line
	}
	return proxy.New(cfg, proxy.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
}
