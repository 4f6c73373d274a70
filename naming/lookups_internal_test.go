package naming

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// TestLookupsOfWideNames: a reading asks anew, once, for what the one before it did not ask
// for, and for nothing else, with few look-ups and with many.
func TestLookupsOfWideNames(t *testing.T) {
	for _, n := range []int{many - 1, many, many + 1, 4 * many} {
		asked, live := map[string]int{}, map[string]context.Context{}
		namer := NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[State[dtab.Tree[Name]]] {
			asked[p.String()]++
			live[p.String()] = ctx
			return weft.NewVar(Ok(dtab.Tree[Name]{}))
		})
		l := newLookups(t.Context(), newTable(Namers{{Prefix: dtab.MustPath("/#/a"), Namer: namer}}, nil), 1000)
		read := func(from, to int) {
			l.begin()
			for range 2 {
				for i := from; i < to; i++ {
					l.resolve(dtab.MustPath(fmt.Sprintf("/#/a/%d", i)), nil)
				}
			}
			l.end()
		}
		read(0, n)
		read(n/2, n)
		for i := range n {
			assert.Equal(t, i < n/2, live[fmt.Sprintf("/%d", i)].Err() != nil, "%d of %d is cancelled", i, n)
		}
		read(0, n)
		for i := range n {
			want := 1
			if i < n/2 {
				want = 2
			}
			assert.Equal(t, want, asked[fmt.Sprintf("/%d", i)], "%d of %d", i, n)
			assert.NoError(t, live[fmt.Sprintf("/%d", i)].Err())
		}
	}
}
