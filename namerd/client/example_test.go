package client_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
)

func Example() {
	// A namerd, as weft namerd runs one.
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc => /#/io.l5d.fs")}})
	defer store.Close()
	n, err := namerd.New(namerd.Options{Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	api := httpapi.New(n, httpapi.Options{})
	defer api.Close()
	server := httptest.NewServer(api)
	defer server.Close()

	ctx := context.Background()
	c, err := client.New(server.URL, client.Options{Note: namerd.Note{Author: "example", Reason: "try v2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	st, err := c.Edit(ctx, "default", func(d dtab.Dtab) (dtab.Dtab, error) {
		return append(d, dtab.MustParse("/svc/web => 9 * /svc/web-v1 & 1 * /svc/web-v2")...), nil
	})
	fmt.Println(st.Dtab, err)
	// Output: /svc=>/#/io.l5d.fs;/svc/web=>9.00*/svc/web-v1 & /svc/web-v2 <nil>
}
