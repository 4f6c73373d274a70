package meshh2_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// An h2c listener that takes every request to one endpoint, whatever its name.
func Example() {
	endpoint, addr := serve(http2.ServerOptions{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "hello ", r.Host, " from ", r.Header.Get("L5d-Dst-Client"))
	})})
	namer := naming.NamerFunc(func(_ context.Context, name dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: addr}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/one").Concat(name), dtab.Path{}, set)))
	})
	names := naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc => /#/one"), Namers: naming.Namers{{Prefix: dtab.MustPath("/#/one"), Namer: namer}},
	})
	relay, err := meshh2.New(meshh2.Options{Mesh: transport.Options{Interpreter: names, Label: "h2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	proxy, front := serve(http2.ServerOptions{Accept: meshh2.NewHandler(meshh2.ServerOptions{Relay: relay}).Accept})

	caller := http2.NewTransport(http2.TransportOptions{})
	req, _ := http.NewRequest(http.MethodGet, "http://"+front, nil)
	req.Host = "users"
	if resp, err := caller.RoundTrip(req); err == nil {
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.Proto, resp.StatusCode, string(body))
	}
	fmt.Println(caller.Close(), proxy.Close(), relay.Close(), names.Close(), endpoint.Close())
	// Output:
	// HTTP/2.0 200 hello users from /#/one/users
	// <nil> <nil> <nil> <nil> <nil>
}

// serve starts a server on any free port of this host.
func serve(o http2.ServerOptions) (*http2.Server, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := http2.NewServer(o)
	go func() { _ = s.Serve(l) }()
	return s, l.Addr().String()
}
