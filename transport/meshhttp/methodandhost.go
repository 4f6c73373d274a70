package meshhttp

import (
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// MethodAndHost names a request <Prefix>/1.1/<METHOD>/<host>, with the host in
// lower case, or <Prefix>/1.0/<METHOD>. It is the kind io.l5d.methodAndHost.
type MethodAndHost struct {
	Prefix dtab.Path
	// URI appends the path of the request's URI to the name.
	URI bool
}

// Identify implements Identifier.
func (m MethodAndHost) Identify(req *http.Request) (Identity, error) {
	var elems []string
	switch {
	case req.ProtoMajor == 1 && req.ProtoMinor == 0:
		elems = []string{"1.0", req.Method}
	case req.ProtoMajor == 1 && req.ProtoMinor == 1:
		if req.Host == "" {
			return Identity{}, &Unidentified{Reason: "HTTP/1.1 request missing hostname"}
		}
		elems = []string{"1.1", req.Method, strings.ToLower(req.Host)}
	default:
		return Identity{}, &Unidentified{Reason: "Unknown HTTP version " + req.Proto}
	}
	id, err := named(m.Prefix, elems...)
	if err != nil || !m.URI {
		return id, err
	}
	path, _, _ := strings.Cut(requestURI(req), "?")
	if path == "" || path == "/" {
		return id, nil
	}
	tail, err := dtab.ParsePath(path)
	if err != nil {
		return Identity{}, &MalformedError{Err: err}
	}
	return Identity{Path: id.Path.Concat(tail)}, nil
}
