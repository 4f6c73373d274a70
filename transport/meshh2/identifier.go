package meshh2

import (
	"errors"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Identifier finds the logical name in the head of a request. It must not change
// the head nor block. Identify is called concurrently.
//
// An error that is a *meshhttp.Unidentified means that this identifier has nothing
// to say of the request, so that the next one of a Chain is asked; any other error
// ends the request.
type Identifier interface {
	Identify(req *Head) (dtab.Path, error)
}

// Chain asks identifiers in order until one recognises the request. The reason of
// the last one is reported if none does.
type Chain []Identifier

// Identify implements Identifier.
func (c Chain) Identify(req *Head) (dtab.Path, error) {
	last := error(&meshhttp.Unidentified{Reason: "empty identifier list"})
	for _, i := range c {
		p, err := i.Identify(req)
		if err == nil {
			return p, nil
		}
		if _, ok := errors.AsType[*meshhttp.Unidentified](err); !ok {
			return dtab.Path{}, err
		}
		last = err
	}
	return dtab.Path{}, last
}
