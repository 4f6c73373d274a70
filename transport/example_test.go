package transport_test

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// The bare core: a name, a route, an endpoint, and what became of it.
func Example() {
	// A namer that knows one endpoint set for every name that it is asked for.
	static := naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		id, residual := dtab.MustPath("/#/static").Concat(p.Take(1)), p.Drop(1)
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:8080"}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(id, residual, set)))
	})
	interpreter := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/static"), Namer: static}},
		Base:   dtab.MustParse("/svc => /#/static"),
	})
	defer interpreter.Close()
	router, err := transport.NewRouter(transport.Options{Interpreter: interpreter})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer router.Close()

	ctx := context.Background()
	dest := router.Dest(dtab.MustPath("/svc/users/v1"), weft.LocalDtab(ctx))
	route, err := dest.Route(ctx)
	if err != nil {
		dest.Done(weft.Result{Class: weft.Failure, Err: err})
		fmt.Println(err)
		return
	}
	pick, err := route.Pick(ctx, weft.Call{})
	if err != nil {
		dest.Done(weft.Result{Class: weft.Failure, Err: err})
		fmt.Println(err)
		return
	}
	fmt.Println(route, "at", pick.Endpoint.Addr(), "residual", pick.Residual)

	result := weft.Result{Class: weft.Success} // of sending the request there
	pick.Done(result)
	dest.Done(result)
	// Output: /#/static/users at 10.0.0.1:8080 residual /v1
}
