package marathon

import (
	"cmp"
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// choice says how many elements of a path are the app that answers for it; 0 if
// none does, or that one has no endpoints.
type choice struct{ used int }

// choose is the naming.Watcher of a path in lower case: it follows the list, and
// the app that the path leads to.
func (n *Namer) choose(ctx context.Context, path dtab.Path, set func(naming.State[choice])) error {
	list := n.lists.Observe(ctx, n.listPath())
	app := following{n: n, path: path}
	defer app.turnTo(ctx, 0)
	for {
		ids, stale := list.Load()
		signals := []<-chan struct{}{stale}
		app.turnTo(ctx, ids.Value.shortest(path))
		switch {
		case !ids.Known && ids.Err != nil:
			set(naming.Failed[choice](ids.Err))
		case !ids.Known:
		case app.used == 0:
			set(naming.State[choice]{Known: true, Err: ids.Err})
		default:
			s, stale := app.set.Load()
			signals = append(signals, stale)
			c := choice{used: app.used}
			if s.Value.Neg {
				c.used = 0
			}
			if !s.Pending() {
				set(naming.State[choice]{Value: c, Known: s.Known, Err: cmp.Or(s.Err, ids.Err)})
			}
		}
		if err := naming.Any(ctx, signals); err != nil {
			return err
		}
	}
}

// following is the app that a path leads to at present.
type following struct {
	n     *Namer
	path  dtab.Path
	used  int // the number of elements of path that are the app; 0 for none
	set   weft.Source[naming.State[weft.EndpointSet]]
	leave context.CancelFunc
}

// turnTo follows the app with that many elements of the path, and no longer the one
// before if that is another.
func (f *following) turnTo(ctx context.Context, used int) {
	if used == f.used {
		return
	}
	if f.used != 0 {
		f.leave()
	}
	if f.used = used; used != 0 {
		ctx, f.leave = context.WithCancel(ctx)
		f.set = f.n.sets.Observe(ctx, f.path.Take(used))
	}
}
