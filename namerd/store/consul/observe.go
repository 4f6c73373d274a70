package consul

import (
	"context"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// watchNames derives the list of namespaces from the tree.
func (s *Store) watchNames(ctx context.Context, _ allNames, set func(naming.State[[]string])) error {
	return follow(ctx, s, set, func(v *view) naming.State[[]string] { return naming.Ok(v.names()) })
}

// watchDtab derives what is under a namespace from the tree.
func (s *Store) watchDtab(ctx context.Context, ns oneDtab, set func(naming.State[namerd.Stored])) error {
	return follow(ctx, s, set, func(v *view) naming.State[namerd.Stored] {
		st := v.at(string(ns))
		return st.At(string(st.Value.Version))
	})
}

// follow reports what derive makes of the tree, whenever that changes.
func follow[T any](ctx context.Context, s *Store, set func(naming.State[T]), derive func(*view) naming.State[T]) error {
	src := s.tree.Observe(ctx, everything(s.dtabs))
	said := "" // the failure that was reported last
	for {
		tree, stale := src.Load()
		st := naming.State[T]{Err: tree.Err}
		if tree.Known {
			st = derive(tree.Value)
			if st.Err == nil {
				st.Err = tree.Err
			}
		}
		failure := ""
		if st.Err != nil {
			failure = st.Err.Error()
		}
		// The failure of one value is nothing new when another one changes.
		if failure == "" || failure != said {
			set(st)
		}
		said = failure
		if err := naming.Any(ctx, []<-chan struct{}{stale}); err != nil {
			return err
		}
	}
}
