package meshhttp

import (
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// PathSegments names a request by the first segments of its URI, which are taken
// as they stand in the request line, without percent decoding. It is the kind
// io.l5d.path.
type PathSegments struct {
	Prefix dtab.Path
	// N is the number of segments; zero means 1.
	N int
	// Consume takes the segments off the URI that the endpoint gets.
	Consume bool
}

// Identify implements Identifier.
func (p PathSegments) Identify(req *http.Request) (Identity, error) {
	n := max(p.N, 1)
	uri, query, hasQuery := strings.Cut(requestURI(req), "?")
	segs := strings.Split(strings.TrimRight(uri, "/"), "/")[1:]
	if !strings.HasPrefix(uri, "/") || len(segs) < n {
		return Identity{}, &Unidentified{Reason: "not enough segments in path"}
	}
	id, err := named(p.Prefix, segs[:n]...)
	if err != nil || !p.Consume {
		return id, err
	}
	id.URI = "/" + strings.Join(segs[n:], "/")
	if len(segs) > n && strings.HasSuffix(uri, "/") {
		id.URI += "/"
	}
	if hasQuery {
		id.URI += "?" + query
	}
	return id, nil
}

// Static names every request alike. It is the kind io.l5d.static.
type Static struct {
	Prefix dtab.Path
	Path   dtab.Path
}

// Identify implements Identifier.
func (s Static) Identify(*http.Request) (Identity, error) {
	return Identity{Path: s.Prefix.Concat(s.Path)}, nil
}
