// Command http-server is a service that calls another one while it serves a request,
// and passes on what came with the request: the dtab that the caller sent along, the
// deadline and the trace. All that the service does for it is to stand behind
// meshhttp.Middleware and to use the request's context.
//
//	caller → shop → users (or users-v2)
//
//	go run ./examples/http-server
//
// It starts the services itself, calls shop without the mesh, as curl would, and then
// through the mesh, and prints:
//
//	plain caller: shop got: I am users, no deadline
//	with -H "l5d-dtab: /svc/users => /svc/users-v2": shop got: I am users-v2, no deadline
//	caller with 10 s and trace 00000000c0ffee00: shop got: I am users, 10s left, trace 00000000c0ffee00
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	namer, err := static.New(static.Config{})
	if err != nil {
		return err
	}
	names := naming.NewInterpreter(naming.Options{
		Namers: naming.Under(namer),
		Base:   dtab.MustParse("/svc => /#/static"),
	})
	defer names.Close() //nolint:errcheck // the program ends
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{Interpreter: names}})
	if err != nil {
		return err
	}
	defer mesh.Close() //nolint:errcheck // the program ends
	client := &http.Client{Transport: mesh}

	// Every service stands behind the middleware. The zero Propagator speaks
	// Linkerd's headers.
	inherit := meshhttp.Middleware(meshhttp.MiddlewareOptions{})
	users := httptest.NewServer(inherit(whoAmI("users")))
	defer users.Close()
	v2 := httptest.NewServer(inherit(whoAmI("users-v2")))
	defer v2.Close()
	shop := httptest.NewServer(inherit(shop(client)))
	defer shop.Close()
	addr := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	err = errors.Join(namer.Set("users", addr(users)), namer.Set("users-v2", addr(v2)), namer.Set("shop", addr(shop)))
	if err != nil {
		return err
	}

	body, err := get(ctx, http.DefaultClient, shop.URL, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "plain caller:", body)

	// The caller sends an override to shop. It changes nothing there: it is the call
	// after it that goes elsewhere.
	body, err = get(ctx, http.DefaultClient, shop.URL, http.Header{"L5d-Dtab": {"/svc/users => /svc/users-v2"}})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "with -H %q: %s\n", "l5d-dtab: /svc/users => /svc/users-v2", body)

	// A caller in the mesh sends its deadline and trace by itself.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	root := telemetry.Trace{TraceLow: 0xc0ffee00, Span: 1, Parent: 1} // telemetry.NewTrace() elsewhere
	ctx = telemetry.WithTrace(ctx, root)
	if body, err = get(ctx, client, "http://shop/", nil); err != nil {
		return err
	}
	fmt.Fprintf(out, "caller with 10 s and trace %s: %s\n", root.ReqID(), body)
	return nil
}
