package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/telemetry"
)

func Example() {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	tree.Scope("rt", "http", "server", "0.0.0.0/4140").Counter("requests").Inc()
	interpreter := naming.NewInterpreter(naming.Options{})
	defer interpreter.Close()

	server, err := admin.New(admin.Options{
		Version: "0.1.0",
		Tree:    tree,
		Routers: []admin.Router{{Label: "http", Protocol: "http", Base: dtab.MustParse("/svc=>/host"), Delegator: interpreter}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // 127.0.0.1:9990 in a proxy
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- server.Serve(context.Background(), ln) }()

	for _, path := range []string{"/admin/ping", "/admin/metrics.json?q=rt/http", "/delegator.json?namespace=http&path=/svc/a&dtab=/svc=>/host"} {
		rep, err := http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(rep.Body)
		_ = rep.Body.Close()
		fmt.Println(string(body))
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(server.Shutdown(context.Background()), <-served)

	// Output:
	// pong
	// {"server/0.0.0.0/4140/requests":1}
	// {"type":"delegate","path":"/svc/a","delegate":{"type":"neg","path":"/host/a","dentry":{"prefix":"/svc","dst":"/host"}}}
	// <nil> <nil>
}
