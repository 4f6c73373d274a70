package transport

import (
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// reading is what one reading of a binding came to: a route, or an error. It is
// immutable.
type reading struct {
	route *Route
	err   error
	tree  dtab.Tree[*naming.Bound]
	named bool            // the name was bound, if only to nothing: tree holds
	stale <-chan struct{} // closed when the binding has changed; nil: never

	unanswered error // why the name could not be asked for, if that is all of err
}

func (rd *reading) fresh() bool {
	select {
	case <-rd.stale: // a nil channel is never ready
		return false
	default:
		return true
	}
}

// until returns the same reading of a binding that has changed, but not so that
// it would matter.
func (rd *reading) until(stale <-chan struct{}) *reading {
	next := *rd
	next.stale = stale
	return &next
}

// unsettled returns what to wait for before the reading can be served.
func (rd *reading) unsettled() []<-chan struct{} {
	if rd.route == nil {
		return nil
	}
	waits := rd.route.unsettled()
	if waits != nil && rd.stale != nil {
		waits = append(waits, rd.stale)
	}
	return waits
}

// sameTree reports whether two bound trees lead to the same places in the same
// proportions.
func sameTree(a, b dtab.Tree[*naming.Bound]) bool {
	return dtab.EqualFunc(a, b, func(x, y *naming.Bound) bool { return x.ID == y.ID && x.Residual == y.Residual })
}
