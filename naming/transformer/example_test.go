package transformer_test

import (
	"context"
	"fmt"
	"io"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/naming/transformer"
)

// All traffic goes to the proxies on the machines of the endpoints, at port 4141.
func Example() {
	n, err := static.New(static.Config{Names: map[string][]string{"web": {"10.1.2.3:8080"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	port, err := transformer.NewPort(transformer.PortConfig{Port: 4141})
	if err != nil {
		fmt.Println(err)
		return
	}
	in := transformer.Interpreter(naming.NewInterpreter(naming.Options{
		Namers: naming.Under(n), Base: dtab.MustParse("/svc => " + n.Prefix().String()),
	}), port)
	defer in.(io.Closer).Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	bound, _ := in.Bind(ctx, nil, dtab.MustPath("/svc/web")).Load()
	set, _ := bound.Value.Value.Addrs(ctx).Load()
	fmt.Println(bound.Value.Value.ID)
	fmt.Println(transformer.Strip(bound.Value.Value.ID))
	fmt.Println(set.Value.Endpoints[0].Addr)
	// Output:
	// /%/io.l5d.port/4141/#/static/web
	// /#/static/web
	// 10.1.2.3:4141
}
