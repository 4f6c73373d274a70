package etcd_test

import (
	"context"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/etcd"
)

func Example() {
	n, err := etcd.New(etcd.Config{Endpoints: []string{"http://127.0.0.1:2379"}, PathPrefix: "/prod"}, etcd.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
		Base:   dtab.MustParse("/svc => /#/io.l5d.etcd"),
	})
	defer in.Close()

	// /svc/users is what the keys below /prod/users/ say. Nothing waits for etcd.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, _ := in.Bind(ctx, nil, dtab.MustPath("/svc/users")).Load()
	fmt.Println(s.Known)
	// Output: false
}
