package zk_test

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/zk"
)

// A namer that cannot reach its servers says so; it does not say that there is no
// such name.
func ExampleNewServersets() {
	sessions := zk.NewSessions(zk.SessionsOptions{})
	defer sessions.Close()
	n, err := zk.NewServersets(zk.Config{Addrs: []string{"127.0.0.1:1"}}, zk.Options{Sessions: sessions})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	name := n.Lookup(ctx, dtab.MustPath("/discovery/prod/web"))
	s, err := weft.Until(ctx, name, func(s answer) bool { return !s.Pending() })
	fmt.Println(s.Known, err)
	fmt.Println(s.Err)
	// Output:
	// false <nil>
	// zk: no session with 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused
}
