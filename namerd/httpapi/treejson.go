package httpapi

import (
	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// treeJSON is a node of a bound tree: one of an explanation without path and dentry.
type treeJSON struct {
	Type  string        `json:"type"`
	Alt   *[]treeJSON   `json:"alt,omitempty"`
	Union *[]branchJSON `json:"union,omitempty"`
	Bound *boundJSON    `json:"bound,omitempty"`
}

type branchJSON struct {
	Weight double   `json:"weight"`
	Tree   treeJSON `json:"tree"`
}

type boundJSON struct {
	Addr addrJSON `json:"addr"`
	ID   string   `json:"id"`
	Path string   `json:"path"` // the residual
}

// newTreeJSON returns the form of t, with the endpoints that addr says its leaves
// have.
func newTreeJSON(t dtab.Tree[*naming.Bound], addr func(*naming.Bound) naming.State[weft.EndpointSet]) treeJSON {
	switch t.Op {
	case dtab.Leaf:
		b := &boundJSON{newAddrJSON(addr(t.Value)), t.Value.ID.String(), t.Value.Residual.String()}
		return treeJSON{Type: "leaf", Bound: b}
	case dtab.Alt:
		kids := make([]treeJSON, len(t.Kids))
		for i, k := range t.Kids {
			kids[i] = newTreeJSON(k, addr)
		}
		return treeJSON{Type: "alt", Alt: &kids}
	case dtab.Union:
		kids := make([]branchJSON, len(t.Kids))
		for i, k := range t.Kids {
			kids[i] = branchJSON{double(k.Weight), newTreeJSON(k, addr)}
		}
		return treeJSON{Type: "union", Union: &kids}
	case dtab.Fail:
		return treeJSON{Type: "fail"}
	case dtab.Empty:
		return treeJSON{Type: "empty"}
	case dtab.Neg:
	}
	return treeJSON{Type: "neg"}
}
