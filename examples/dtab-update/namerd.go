package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

// controlPlane is a namerd and the services that it knows. Elsewhere it is another
// process: weft namerd, or Linkerd's.
type controlPlane struct {
	url   string
	addr  string
	close func()
}

func startNamerd() (*controlPlane, error) {
	hello := func(name string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello from ", name) }))
	}
	users, v2 := hello("users"), hello("users-v2")
	namer, err := static.New(static.Config{Names: map[string][]string{
		"users": {users.Listener.Addr().String()}, "users-v2": {v2.Listener.Addr().String()},
	}})
	store := memory.New(memory.Options{})
	ctx := context.Background()
	_, created := store.Create(ctx, "default", dtab.MustParse("/svc => /#/static"), namerd.Note{})
	n, made := namerd.New(namerd.Options{Store: store, Namers: naming.Under(namer)})
	if err := errors.Join(err, created, made); err != nil {
		return nil, err
	}
	api := httpapi.New(n, httpapi.Options{})
	server := httptest.NewServer(api)
	return &controlPlane{url: server.URL, addr: server.Listener.Addr().String(), close: func() {
		_ = api.Close()
		for _, s := range []*httptest.Server{server, users, v2} {
			s.Close()
		}
		_ = n.Close()
		_ = store.Close()
	}}, nil
}

// endpoints is where the namerd is, for as long as the program runs.
func (c *controlPlane) endpoints(context.Context) weft.Source[naming.State[weft.EndpointSet]] {
	return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: c.addr}}})}
}
