package naming

import (
	"context"
	"maps"
	"strconv"

	"github.com/weft-mesh/weft"
)

// MetaTreeWeight is the key in an EndpointSet's Meta of the weight of the
// innermost union branch through which the set was reached.
const MetaTreeWeight = "namer_nametree_weight"

// weighted returns b with the weight in the metadata of its endpoint sets.
func weighted(b *Bound, w float64) *Bound {
	text := strconv.FormatFloat(w, 'f', -1, 64)
	note := func(s State[weft.EndpointSet]) State[weft.EndpointSet] {
		if !s.Known || s.Value.Neg {
			return s
		}
		meta := make(map[string]string, len(s.Value.Meta)+1)
		maps.Copy(meta, s.Value.Meta)
		meta[MetaTreeWeight] = text
		s.Value.Meta = meta
		return s
	}
	return &Bound{ID: b.ID, Residual: b.Residual, treeWeight: text, Addrs: func(ctx context.Context) weft.Source[State[weft.EndpointSet]] {
		return Derive(b.Addrs(ctx), note)
	}}
}
