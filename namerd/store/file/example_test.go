package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/file"
)

func Example() {
	dir, err := os.MkdirTemp("", "weft")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, path := context.Background(), filepath.Join(dir, "namerd.db")

	store, err := file.Open(path, file.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = store.Create(ctx, "default", dtab.MustParse("/svc => /#/io.l5d.fs"), namerd.Note{Author: "me", Reason: "a beginning"})
	fmt.Println(err)
	fmt.Println(store.Close())

	store, err = file.Open(path, file.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	stored, err := store.Get(ctx, "default")
	fmt.Println(stored.Dtab, err)
	changes, err := store.History(ctx, "default", 10)
	fmt.Println(len(changes), changes[0].Reason, err)
	// Output:
	// <nil>
	// <nil>
	// /svc=>/#/io.l5d.fs <nil>
	// 1 a beginning <nil>
}
