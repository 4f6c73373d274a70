package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// hello is an application that knows nothing of weft. It calls world through an
// HTTP proxy and does the one thing that Linkerd asks of applications: it passes
// the l5d-ctx-* headers of the request it serves on to the requests it makes.
func hello(proxyAddr string) http.Handler {
	client := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxyAddr}),
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://world/", nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "L5d-Ctx-") {
				req.Header[name] = values
			}
		}
		resp, err := client.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // read
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			http.Error(w, fmt.Sprintf("world: %s: %s", resp.Status, body), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "Hello %s!\n", body)
	})
}

// world is an application that says who it is.
func world(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, name)
	})
}
