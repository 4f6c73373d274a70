package namerd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Lister is implemented by namers that can enumerate their names.
type Lister interface {
	Names() ([]dtab.Path, error)
}

// enumerate is how often namers are asked for their names while somebody wants to know.
const enumerate = time.Second

// BoundNames observes the ids of all names that namers can enumerate, in
// alphabetical order, until ctx ends.
func (n *Namerd) BoundNames(ctx context.Context) weft.Source[naming.State[[]dtab.Path]] {
	return n.names.Observe(ctx, struct{}{})
}

func (n *Namerd) watchNames(ctx context.Context, _ struct{}, set func(naming.State[[]dtab.Path])) error {
	again := time.NewTicker(enumerate)
	defer again.Stop()
	for {
		all := []dtab.Path{}
		for _, p := range n.opts.Namers {
			l, ok := p.Namer.(Lister)
			if !ok {
				continue
			}
			if names, err := l.Names(); err == nil { // what cannot be listed now has no names to show
				all = append(all, names...)
			}
		}
		slices.SortFunc(all, func(a, b dtab.Path) int { return strings.Compare(a.String(), b.String()) })
		set(naming.Ok(slices.Compact(all)))
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
