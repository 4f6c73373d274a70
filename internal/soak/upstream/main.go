// Command upstream is an endpoint of the soak test, a process of its own so that it
// can be killed. It serves the origin's handler in cleartext and with TLS, and the
// gRPC service, and ends in an orderly way at SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/soak"
)

func main() {
	var (
		plain  = flag.String("plain", "", "address of HTTP in cleartext")
		secure = flag.String("secure", "", "address of HTTP with TLS")
		rpc    = flag.String("grpc", "", "address of gRPC")
		cert   = flag.String("cert", "", "file of the certificate")
		key    = flag.String("key", "", "file of its key")
	)
	flag.Parse()
	if err := run(*plain, *secure, *rpc, *cert, *key); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(plain, secure, rpc, cert, key string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var listeners [3]net.Listener
	for i, addr := range []string{plain, secure, rpc} {
		var err error
		if listeners[i], err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr); err != nil {
			return err
		}
	}
	a, b, c := origin.New(origin.Handler()), origin.New(origin.Handler()), soak.NewServer()
	failed := make(chan error, 3)
	go func() { failed <- a.Serve(listeners[0]) }()
	go func() { failed <- b.ServeTLS(listeners[1], cert, key) }()
	go func() { failed <- c.Serve(listeners[2]) }()
	fmt.Println("serving")
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ended := make(chan struct{}, 3)
	go func() { _ = a.Shutdown(grace); ended <- struct{}{} }()
	go func() { _ = b.Shutdown(grace); ended <- struct{}{} }()
	go func() { c.GracefulStop(); ended <- struct{}{} }()
	for range 3 {
		<-ended
	}
	return nil
}
