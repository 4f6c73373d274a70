package destination

import (
	"errors"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// errTreeFailed is the state of a name that is bound to "fail" and nothing else.
var errTreeFailed = errors.New("name tree failed")

// merger makes one set of those of several bound names. Names that have failed or do
// not exist count if there are no others, and those that are pending if there are
// none of any other kind.
type merger struct {
	set     weft.EndpointSet
	seen    map[string]bool
	bound   bool
	pending bool
	neg     bool
	err     error
}

func (m *merger) add(st endpointState) {
	switch {
	case st.Pending():
		m.pending = true
	case !st.Known:
		m.err = st.Err
	case st.Value.Neg:
		m.neg = true
	default:
		m.bound = true
		for _, e := range st.Value.Endpoints {
			if !m.seen[e.Addr] && e.Share() > 0 {
				m.seen[e.Addr] = true
				m.set.Endpoints = append(m.set.Endpoints, e)
			}
		}
	}
}

func (m *merger) state() endpointState {
	switch {
	case m.bound:
		return naming.Ok(m.set)
	case m.pending:
		return endpointState{}
	case m.neg:
		return naming.Ok(weft.EndpointSet{Neg: true})
	case m.err != nil:
		return naming.Failed[weft.EndpointSet](m.err)
	default:
		return naming.Failed[weft.EndpointSet](errTreeFailed)
	}
}
