package consul

import (
	"context"
	"io"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// ReadForTest returns the set of an answer with that body.
func ReadForTest(n *Namer, body io.Reader) (set weft.EndpointSet, err error) {
	r := reader{n: n, told: map[string]uint64{}}
	list, _, err := r.read(&http.Response{Body: io.NopCloser(body)})
	if err != nil {
		return set, err
	}
	h := newHosts(context.Background(), nil, func(s naming.State[weft.EndpointSet]) { set, err = s.Value, s.Err })
	defer h.close()
	h.update(naming.Ok(list))
	return set, err
}
