package httpapi

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// reading is a bound tree and what is known of the endpoints of its leaves, at one
// moment. It notes what it was made of.
type reading struct {
	tree    dtab.Tree[*naming.Bound]
	leaves  *leaves
	signals []<-chan struct{} // each is closed when another reading would say something else
	pending bool              // something that was asked for is not known yet
}

// addr returns what is known of the endpoints of a leaf.
func (r *reading) addr(b *naming.Bound) naming.State[weft.EndpointSet] {
	s, stale := r.leaves.observe(b).Load()
	r.signals = append(r.signals, stale)
	r.pending = r.pending || s.Pending()
	return s
}

// leaves are the endpoints of the leaves of one tree.
type leaves struct {
	ctx     context.Context
	cancel  context.CancelFunc
	sources map[*naming.Bound]weft.Source[naming.State[weft.EndpointSet]]
}

func newLeaves(ctx context.Context) *leaves {
	l := &leaves{sources: map[*naming.Bound]weft.Source[naming.State[weft.EndpointSet]]{}}
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

func (l *leaves) observe(b *naming.Bound) weft.Source[naming.State[weft.EndpointSet]] {
	src := l.sources[b]
	if src == nil {
		src = b.Addrs(l.ctx)
		l.sources[b] = src
	}
	return src
}

// watchTree reports what form makes of a bound tree and of the endpoints of its
// leaves that it asks for, once all of those are known.
func watchTree(
	ctx context.Context, bound weft.Source[naming.State[namerd.Binding]], set func(naming.State[document]), form func(*reading) document,
) error {
	var at <-chan struct{} // of the tree that now are the leaves of
	now := newLeaves(ctx)
	defer func() { now.cancel() }()
	for first := true; ; first = false {
		s, changed := bound.Load()
		before := now
		if changed != at && !first {
			now = newLeaves(ctx)
		}
		at = changed
		r := &reading{tree: s.Value.Tree, leaves: now, signals: []<-chan struct{}{changed}}
		if s.Known {
			doc := form(r)
			if !r.pending {
				set(naming.State[document]{Value: doc, Known: true, Err: s.Err})
			}
		} else if s.Err != nil {
			set(naming.Failed[document](s.Err))
		}
		if before != now {
			before.cancel() // only now, so that endpoints that are in both trees stay observed
		}
		if err := naming.Any(ctx, r.signals); err != nil {
			return err
		}
	}
}
