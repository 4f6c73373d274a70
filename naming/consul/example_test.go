package consul_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/consul"
)

func Example() {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // stands for Consul
		if r.URL.Query().Has("index") {
			<-r.Context().Done()
			return
		}
		w.Header().Set("X-Consul-Index", "7")
		fmt.Fprint(w, `[{"Address":"10.0.0.7","ServicePort":8080},{"Address":"10.0.0.8","ServicePort":8080,"ServiceTags":["small"]}]`)
	}))
	defer agent.Close()
	host, port, _ := net.SplitHostPort(agent.Listener.Addr().String())
	portNumber, _ := strconv.Atoi(port)

	n, err := consul.New(consul.Config{
		Agent:   consul.Agent{Host: host, Port: portNumber},
		Weights: []consul.TagWeight{{Tag: "small", Weight: 0.5}},
	}, consul.Options{}) // Resolve: the method of an inet.Resolver
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: n.Prefix(), Namer: n}},
		Base:   dtab.MustParse("/svc => /#/io.l5d.consul/dc1"),
	})
	defer in.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tree, err := weft.Until(ctx, in.Bind(ctx, nil, dtab.MustPath("/svc/users")), func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.Value.Value.ID)
	set, err := weft.Until(ctx, tree.Value.Value.Addrs(ctx), func(s endpoints) bool { return s.Known })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range set.Value.Endpoints {
		fmt.Println(e.Addr, e.Share())
	}
	// Output:
	// /#/io.l5d.consul/dc1/users
	// 10.0.0.7:8080 1
	// 10.0.0.8:8080 0.5
}
