package meshh2

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// HeaderToken names a request by the value of one header field, as a single
// segment with its case and port kept: :authority "web:80" becomes <Prefix>/web:80.
// It is the kind io.l5d.header.token and the default identifier.
type HeaderToken struct {
	Prefix dtab.Path // the empty path puts the name at the root
	Header string    // empty means :authority
}

// Identify implements Identifier.
func (i HeaderToken) Identify(req *Head) (dtab.Path, error) {
	header := i.Header
	if header == "" {
		header = nameAuthority
	}
	v := req.Get(header)
	if v == "" {
		return dtab.Path{}, &meshhttp.Unidentified{Reason: "missing header: '" + header + "'"}
	}
	p, err := i.Prefix.Append(v)
	if err != nil {
		return dtab.Path{}, &meshhttp.Unidentified{Reason: err.Error(), Err: err}
	}
	return p, nil
}
