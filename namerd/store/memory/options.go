package memory

import (
	"github.com/weft-mesh/weft/dtab"
)

// Options are what a Store begins with. The zero value is an empty store.
type Options struct {
	// Namespaces are there from the beginning, at version 1.
	Namespaces map[string]dtab.Dtab
}
