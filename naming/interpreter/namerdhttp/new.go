package namerdhttp

import (
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// New returns an interpreter. It begins to connect to namerd at once and does not
// wait for it.
func New(c Config, o Options) (*Interpreter, error) {
	r, err := c.remote()
	if err != nil {
		return nil, err
	}
	in, err := remote.New(r, o, opener(r.Namespace))
	if err != nil {
		return nil, err
	}
	return &Interpreter{in}, nil
}
