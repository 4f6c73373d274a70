package namerdhttp

import (
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// Options are what an Interpreter gets from its owner: where namerd is, above all.
type Options = remote.Options

// Interpreter binds names by asking a namerd. It is a naming.Interpreter, a
// naming.Delegator, a naming.Reporter and an io.Closer, and Stored returns the dtab
// of the namespace. It is safe for concurrent use. Close it.
type Interpreter struct{ *remote.Interpreter }
