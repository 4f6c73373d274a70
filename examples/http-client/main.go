// Command http-client calls services by name: an ordinary http.Client whose
// Transport is the mesh. It shows a dtab, endpoints that the program knows by itself,
// EWMA balancing, retries, an endpoint that always fails without anybody noticing,
// and a request that brings its own dtab.
//
//	go run ./examples/http-client
//
// It starts its services itself, and prints:
//
//	GET http://users/ 30 times: 30 answers, all 200 OK
//	meanwhile the broken endpoint answered 500 1 time(s); its requests were sent again
//	with /svc/users => /svc/users-v2 in its context: hello from users-v2
//	without it: hello from users
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
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
	// The services: users has two good endpoints and a broken one.
	hello := func(name string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "hello from ", name)
		}))
	}
	users1, users2, v2 := hello("users"), hello("users"), hello("users-v2")
	var broken atomic.Int64
	users3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		broken.Add(1)
		http.Error(w, "out of order", http.StatusInternalServerError)
	}))
	for _, s := range []*httptest.Server{users1, users2, users3, v2} {
		defer s.Close()
	}

	// Naming. A namer knows endpoints; the dtab says which names lead to it. Real
	// programs have naming/fs or another namer here, and may call Set at any time.
	namer, err := static.New(static.Config{Names: map[string][]string{
		"users":    {addr(users1), addr(users2), addr(users3)},
		"users-v2": {addr(v2)},
	}})
	if err != nil {
		return err
	}
	names := naming.NewInterpreter(naming.Options{
		Namers: naming.Under(namer),
		Base:   dtab.MustParse("/svc => /#/static"),
	})
	defer names.Close() //nolint:errcheck // the program ends

	// The mesh. Client is asked once per bound name (/#/static/users), so that settings
	// can differ from name to name; Service, not used here, once per logical name.
	mesh, err := meshhttp.New(meshhttp.Options{
		Classifier: meshhttp.Read, // a GET that got a 5xx is sent again, to another endpoint
		Mesh: transport.Options{
			Interpreter: names,
			Client: func(dtab.Path) transport.ClientOptions {
				return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}
			},
		},
	})
	if err != nil {
		return err
	}
	defer mesh.Close() //nolint:errcheck // the program ends
	client := &http.Client{Transport: mesh}

	// http://users/ is the name /svc/users: no port, no address.
	for range 30 {
		if _, err := get(ctx, client, "http://users/"); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "GET http://users/ 30 times: 30 answers, all 200 OK")
	fmt.Fprintf(out, "meanwhile the broken endpoint answered 500 %d time(s); its requests were sent again\n", broken.Load())

	// A dtab in the context holds for this request, and goes along with it from hop to
	// hop. Its rules win over those above.
	canary := weft.WithDtab(ctx, dtab.MustParse("/svc/users => /svc/users-v2"))
	body, err := get(canary, client, "http://users/")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "with /svc/users => /svc/users-v2 in its context:", body)
	if body, err = get(ctx, client, "http://users/"); err != nil {
		return err
	}
	fmt.Fprintln(out, "without it:", body)
	return nil
}

func addr(s *httptest.Server) string { return s.Listener.Addr().String() }
