package transformer

import (
	"context"
	"log/slog"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// Resolve returns the endpoints of host at port, kept up to date until ctx ends. It
// does not block. The method Resolve of package inet's Resolver is one.
type Resolve func(ctx context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]]

// Options are the settings of transformers that follow the outside world. The zero
// value is the default.
type Options struct {
	// Resolve resolves host names. Nil takes IP addresses only.
	Resolve Resolve

	// Logger is told, at level Warn, of what cannot be followed. Nil is silent.
	Logger *slog.Logger
}
