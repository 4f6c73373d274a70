package meshhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// fixed is an interpreter that knows some names: of what a real one finds in
// service discovery.
func fixed(servers map[string]*httptest.Server) *naming.Default {
	lookup := func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		s := servers[p.Elem(0)]
		if s == nil {
			return naming.Answer(dtab.Tree[naming.Name]{})
		}
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: s.Listener.Addr().String()}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/fixed").Concat(p.Take(1)), p.Drop(1), set)))
	}
	return naming.NewInterpreter(naming.Options{
		Base:   dtab.MustParse("/svc => /#/fixed"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/fixed"), Namer: naming.NamerFunc(lookup)}},
	})
}

// A client in the process: the host of the URL is a name in the mesh.
func Example() {
	users := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Header.Get("l5d-dst-service"), r.URL)
	}))
	defer users.Close()
	names := fixed(map[string]*httptest.Server{"users": users})
	defer names.Close()

	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{
		Interpreter: names,
		Service: func(dtab.Path) transport.ServiceOptions {
			return transport.ServiceOptions{Adapter: meshhttp.ServiceSettings{Classifier: meshhttp.Read}}
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mesh.Close()

	client := &http.Client{Transport: mesh}
	resp, err := client.Get("http://users/42")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(body))

	_, err = client.Get("http://nobody/")
	var e *weft.Error
	fmt.Println(errors.As(err, &e), e.Stage, e.Dst)
	// Output:
	// 200 /svc/users /42
	// true bind /svc/nobody
}

// A service that calls another one: with the middleware, the call inherits the
// trace, the deadline and the dtab of the request that is being served.
func ExampleMiddleware() {
	words := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("l5d-ctx-dtab"))
	}))
	defer words.Close()
	names := fixed(map[string]*httptest.Server{"words": words})
	defer names.Close()
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{Interpreter: names}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mesh.Close()

	inherit := meshhttp.Middleware(meshhttp.MiddlewareOptions{})
	app := httptest.NewServer(inherit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://words/", http.NoBody)
		resp, err := mesh.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		fmt.Fprint(w, "words saw: ")
		_, _ = io.Copy(w, resp.Body)
	})))
	defer app.Close()

	req, _ := http.NewRequest(http.MethodGet, app.URL, http.NoBody)
	req.Header.Set("l5d-dtab", "/svc/beta => /svc/words")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var b strings.Builder
	_, _ = io.Copy(&b, resp.Body)
	fmt.Println(b.String())
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// words saw: /svc/beta=>/svc/words
}

// A proxy in a few lines: a listener in front of a Transport.
func ExampleNewHandler() {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Via"))
	}))
	defer web.Close()
	names := fixed(map[string]*httptest.Server{"web": web})
	defer names.Close()
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{Interpreter: names}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mesh.Close()
	proxy := httptest.NewServer(meshhttp.NewHandler(meshhttp.ServerOptions{Transport: mesh, Label: "http"}))
	defer proxy.Close()

	req, _ := http.NewRequest(http.MethodGet, proxy.URL, http.NoBody)
	req.Host = "web"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body), "/", resp.Header.Get("l5d-success-class"))
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// 1.1 linkerd / 1.0
}
