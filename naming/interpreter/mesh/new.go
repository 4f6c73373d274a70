package mesh

import (
	"fmt"

	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// New returns an interpreter. It begins to connect to namerd at once and does not
// wait for it.
func New(c Config, o Options) (*Interpreter, error) {
	r, err := c.remote()
	if err != nil {
		return nil, err
	}
	window := c.InitialStreamWindowSizeKB
	switch {
	case window == 0:
		window = 10240
	case window < 0:
		return nil, fmt.Errorf("%s: initialStreamWindowSizeKB: %d must be positive", kind, window)
	}
	r.EncodeDtab = encodeDtab
	in, err := remote.New(r, o, opener(r.Namespace, window, &revisions{}))
	if err != nil {
		return nil, err
	}
	return &Interpreter{in}, nil
}
