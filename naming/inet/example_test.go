package inet_test

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming/inet"
)

func Example() {
	dns := newFakeDNS() // a *net.Resolver otherwise
	dns.set("users.internal", "10.0.0.7", "10.0.0.8")
	r := inet.New(inet.Options{Lookup: dns})
	defer r.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	users := r.Resolve(ctx, "users.internal", "8080")
	s, err := weft.Until(ctx, users, func(s state) bool { return !s.Pending() })
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range s.Value.Endpoints {
		fmt.Println(e.Addr)
	}
	// Output:
	// 10.0.0.7:8080
	// 10.0.0.8:8080
}
