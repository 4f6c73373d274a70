package dns_test

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/dns"
)

// Example binds a name to what DNS has for it; an address needs no DNS.
func Example() {
	n, err := dns.New(dns.Config{}, dns.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
		Base:   dtab.MustParse("/svc => /#/dns/10.0.0.7"),
	})
	defer in.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tree, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/8080")), func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	set, _ := tree.Value.Value.Addrs(ctx).Load()
	fmt.Println(tree.Value.Value.ID, set.Value.Endpoints[0].Addr)
	// Output: /#/dns/10.0.0.7/8080 10.0.0.7:8080
}
