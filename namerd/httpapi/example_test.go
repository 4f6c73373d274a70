package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
)

func Example() {
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc=>/#/io.l5d.fs")}})
	defer store.Close()
	n, err := namerd.New(namerd.Options{Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer n.Close()
	h := httpapi.New(n, httpapi.Options{})
	defer h.Close()
	server := httptest.NewServer(h) // or http.Server{Addr: "127.0.0.1:4180", Handler: h}
	defer server.Close()

	rsp, err := http.Get(server.URL + "/api/1/dtabs/default")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rsp.Body.Close()
	body, _ := io.ReadAll(rsp.Body)
	fmt.Print(rsp.Header.Get("ETag"), " ", string(body))
	// Output: AAAAAAAAAAE= [{"prefix":"/svc","dst":"/#/io.l5d.fs"}]
}
