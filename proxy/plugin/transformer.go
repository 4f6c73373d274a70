package plugin

import (
	"log/slog"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/transformer"
)

// TransformerEnv is what a transformer is made from. It makes a
// transformer.Transformer.
type TransformerEnv struct {
	// Prefix is the whole prefix of the ids that it makes, with /%. The empty path
	// stands for the kind's default, to which some kinds append what they are configured with.
	Prefix dtab.Path
	// Binder binds the paths of the configured namers and of /$, without a dtab.
	Binder  transformer.Binder
	Resolve Resolve
	Shared  *Shared
	Logger  *slog.Logger
}
