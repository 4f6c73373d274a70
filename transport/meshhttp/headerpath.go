package meshhttp

import (
	"net/http"

	"github.com/weft-mesh/weft/dtab"
)

// HeaderPath names a request by the value of one header, read as a path. It is the
// kind io.l5d.header.
type HeaderPath struct {
	Prefix dtab.Path
	Header string // empty means l5d-name
}

// Identify implements Identifier. A value that is no path is not recognised, with
// the parser's message as the reason.
func (h HeaderPath) Identify(req *http.Request) (Identity, error) {
	v, err := headerValue(req, h.Header, "l5d-name")
	if err != nil {
		return Identity{}, err
	}
	p, err := dtab.ParsePath(v)
	if err != nil {
		return Identity{}, &Unidentified{Reason: err.Error(), Err: err}
	}
	return Identity{Path: h.Prefix.Concat(p)}, nil
}
