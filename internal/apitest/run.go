package apitest

import (
	"testing"

	"github.com/weft-mesh/weft/namerd"
)

// row is a vector: its number in the specification, or a letter for what has none.
type row struct {
	id, what string
	run      func(t *testing.T, s *site)
}

// Run runs the vectors as subtests. open returns an empty store, for the duration of
// the test that it is given; Run closes it.
func Run(t *testing.T, open func(t *testing.T) namerd.Store, o Options) {
	t.Helper()
	for _, rows := range [][]row{reading(), writing(), conditions(), watching(), names(), explaining(), beyond()} {
		for _, r := range rows {
			t.Run(r.id+" "+r.what, func(t *testing.T) { r.run(t, newSite(t, open(t), o.withDefaults())) })
		}
	}
}
