package global

import (
	"context"
	"errors"
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

var (
	// ErrNoResolver is the state of addresses when Options has no resolver.
	ErrNoResolver = errors.New("global: no resolver for addresses was configured")

	// ErrNotBuilt is in the chain of the error of a class that Linkerd has and weft
	// does not have yet.
	ErrNotBuilt = errors.New("this utility namer is not built yet")
)

// UnknownClassError is the failure of /$/<class>/… when there is no such class.
type UnknownClassError struct {
	Class string
	Path  dtab.Path // the whole name
}

// Error returns Finagle's text, which users see.
func (e *UnknownClassError) Error() string {
	return fmt.Sprintf("Unknown namer: %s for path: %s", e.Class, e.Path)
}

func noResolver(_ context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
	err := fmt.Errorf("%w: host %q, port %q", ErrNoResolver, host, port)
	return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Failed[weft.EndpointSet](err)}
}
