package zk_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/zk"
)

// A write that cannot reach the servers ends after a while, and says that it was not
// made.
func Example() {
	store, err := zk.New(zk.Config{Addrs: []string{"127.0.0.1:1"}}, zk.Options{Patience: 200 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	_, err = store.Put(context.Background(), "default", dtab.MustParse("/svc=>/#/io.l5d.fs"), namerd.Note{Author: "me"})
	fmt.Println(errors.Is(err, zk.ErrNoSession))
	fmt.Println(err)
	// Output:
	// true
	// zk: no session with [127.0.0.1:1]: dial tcp 127.0.0.1:1: connect: connection refused
}
