package ingress

import (
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// HTTP is the identifier of an http router. Closing it closes the Rules.
type HTTP struct{ *Rules }

// HTTP returns the rules as a meshhttp.Identifier.
func (r *Rules) HTTP() HTTP { return HTTP{r} }

// Identify implements meshhttp.Identifier. Before the first list of ingresses it waits
// for that, at most until the request's context ends and for Config.Timeout, and
// returns a *meshhttp.NotReadyError if it does not come, which is answered with 503.
func (h HTTP) Identify(req *http.Request) (meshhttp.Identity, error) {
	m, err := h.wait(req.Context())
	if err != nil {
		return meshhttp.Identity{}, err
	}
	p, err := m.name(req.Host, pathOf(req))
	return meshhttp.Identity{Path: p}, err
}

// pathOf returns the path as the caller sent it.
func pathOf(req *http.Request) string {
	if !strings.HasPrefix(req.RequestURI, "/") {
		return req.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(req.RequestURI, "?")
	return path
}

// H2 is the identifier of an h2 router. Closing it closes the Rules.
type H2 struct{ *Rules }

// H2 returns the rules as a meshh2.Identifier.
func (r *Rules) H2() H2 { return H2{r} }

// Identify implements meshh2.Identifier. It is called by the goroutine that reads the
// caller's connection, so it does not wait: before the first list of ingresses it
// returns a *meshhttp.NotReadyError, which is answered with 503, or UNAVAILABLE to
// callers that speak gRPC.
func (h H2) Identify(req *meshh2.Head) (dtab.Path, error) {
	m := h.now.Load()
	if m == nil {
		return dtab.Path{}, h.notYet()
	}
	authority := req.Get(":authority")
	if authority == "" {
		authority = req.Get("host")
	}
	path, _, _ := strings.Cut(req.Get(":path"), "?")
	return m.name(authority, path)
}

var (
	_ meshhttp.Identifier = HTTP{}
	_ meshh2.Identifier   = H2{}
)
