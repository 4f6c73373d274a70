package zk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	zoo "github.com/go-zookeeper/zk"
)

const (
	// maxGraves is how many namespaces that do not exist any more have a history, and
	// pruneEvery after how many deletions it is looked whether there are more: so many
	// there are in addition.
	maxGraves  = 1000
	pruneEvery = 100
)

// pruning is when histories are removed, and how many stay.
type pruning struct {
	keep, every int
	deletions   atomic.Int64
}

// forget removes histories of namespaces that were deleted, if there are too many, the
// ones that were written longest ago first. What fails is done by a later deletion.
func (s *Store) forget(ctx context.Context) {
	if int(s.prune.deletions.Add(1))%s.prune.every != 0 {
		return
	}
	_, err := retrying(ctx, s, func(ctx context.Context, l *link) (struct{}, error) {
		return struct{}{}, s.bury(ctx, l)
	})
	if err != nil {
		s.opts.Logger.Info("histories of deleted namespaces could not be removed", "err", err)
	}
}

// bury does it.
func (s *Store) bury(ctx context.Context, l *link) error {
	all, _, err := s.ensemble.look(ctx, l, s.layout.history, children, false)
	if err != nil {
		return err
	}
	live, _, err := s.list(ctx, l, false)
	if err != nil {
		return err
	}
	if len(all.children)-len(live) <= s.prune.keep {
		return nil
	}
	type grave struct {
		path string
		stat *zoo.Stat
	}
	var graves []grave
	for _, name := range all.children {
		if _, found := slices.BinarySearch(live, name); found {
			continue
		}
		path := s.layout.changes(name)
		z, _, err := s.ensemble.look(ctx, l, path, presence, false)
		if err != nil {
			return err
		}
		if z.stat != nil {
			graves = append(graves, grave{path, z.stat})
		}
	}
	slices.SortFunc(graves, func(a, b grave) int { return cmp.Compare(a.stat.Mzxid, b.stat.Mzxid) })
	for _, g := range graves[:max(0, len(graves)-s.prune.keep)] {
		// A namespace that was made again has written its history.
		_, err := ask(ctx, s.ensemble, l, func(c *zoo.Conn) (bool, error) { return true, c.Delete(g.path, g.stat.Version) })
		if err != nil && !errors.Is(err, zoo.ErrBadVersion) && !errors.Is(err, zoo.ErrNoNode) {
			return err
		}
	}
	return nil
}
