package k8s_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/k8s"
)

// A namespace must have a name that an object can have.
func Example() {
	store, err := k8s.New(k8s.Config{Namespace: "linkerd"}, k8s.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	_, err = store.Put(context.Background(), "My_App", dtab.MustParse("/svc=>/#/io.l5d.fs"), namerd.Note{Author: "me"})
	fmt.Println(errors.Is(err, namerd.ErrInvalid))
	// Output:
	// true
}
