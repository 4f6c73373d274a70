package meshhttp

import (
	"net/http"

	"github.com/weft-mesh/weft/dtab"
)

// HeaderToken names a request by the value of one header, as a single segment
// with its case and port kept: Host "web:80" becomes <Prefix>/web:80. It is the
// kind io.l5d.header.token and the default identifier.
type HeaderToken struct {
	Prefix dtab.Path // the empty path puts the name at the root
	Header string    // empty means Host
}

// Identify implements Identifier.
func (h HeaderToken) Identify(req *http.Request) (Identity, error) {
	v, err := headerValue(req, h.Header, "Host")
	if err != nil {
		return Identity{}, err
	}
	return named(h.Prefix, v)
}
