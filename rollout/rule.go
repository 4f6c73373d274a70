package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// says returns the namespace and the place of the rule in it. It is a ChangedError
// if there is not just one such rule.
func (l *ledger) says(ctx context.Context, want []dtab.Tree[dtab.Path]) (namerd.Stored, int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := l.cur.Plan
	stored, err := l.opts.Dtabs.Get(ctx, p.Namespace)
	if err != nil {
		return stored, 0, fmt.Errorf("rollout: reading %s: %w", p.Namespace, err)
	}
	at, err := find(stored.Dtab, p.Rule)
	if err != nil {
		return stored, 0, permanentError{&ChangedError{ID: p.ID(), Want: shown(want)}}
	}
	return stored, at, nil
}

// check reads the rule once and returns a ChangedError if it says none of want.
func (l *ledger) check(ctx context.Context, want ...dtab.Tree[dtab.Path]) error {
	stored, at, err := l.says(ctx, want)
	if err != nil || among(stored.Dtab[at].Dst, want) {
		return unwrapPermanent(err)
	}
	return l.changed(stored.Dtab[at].Dst, want)
}

func (l *ledger) changed(says dtab.Tree[dtab.Path], want []dtab.Tree[dtab.Path]) error {
	return &ChangedError{ID: l.cur.Plan.ID(), Says: dtab.ShowTree(says), Want: shown(want)}
}

// among reports whether t is one of ts, as stores show them.
func among(t dtab.Tree[dtab.Path], ts []dtab.Tree[dtab.Path]) bool {
	return slices.ContainsFunc(ts, func(u dtab.Tree[dtab.Path]) bool { return dtab.ShowTree(t) == dtab.ShowTree(u) })
}

// move makes the rule say to if it says one of from, and reads that it does. The
// other rules stay what they are at the time.
func (l *ledger) move(ctx context.Context, to dtab.Tree[dtab.Path], from ...dtab.Tree[dtab.Path]) error {
	want := append([]dtab.Tree[dtab.Path]{to}, from...)
	written := false
	return l.persist(ctx, func() error {
		stored, at, err := l.says(ctx, want)
		if err != nil {
			return err
		}
		says := stored.Dtab[at].Dst
		switch {
		case among(says, want[:1]):
			return nil
		case written || !among(says, from):
			return permanentError{l.changed(says, want)}
		}
		d := slices.Clone(stored.Dtab)
		d[at].Dst = to
		if err := l.write(ctx, d, stored.Version); err != nil {
			return err
		}
		written = true
		return l.check(ctx, to)
	})
}

// fence writes the namespace as it is. Whatever a process that ran this before has
// sent, and the control plane has not taken yet, is too late then.
func (l *ledger) fence(ctx context.Context) error {
	return l.persist(ctx, func() error {
		stored, _, err := l.says(ctx, l.cur.Plan.trees())
		if err != nil {
			return err
		}
		return l.write(ctx, stored.Dtab, stored.Version)
	})
}

// write updates the namespace of the rule while this process is known to be the one
// that may: others do not take over before its lease is over.
func (l *ledger) write(ctx context.Context, d dtab.Dtab, v namerd.Version) error {
	if time.Since(l.cur.Alive) > l.opts.Lease/2 {
		if err := l.save(ctx, func(*State) {}); err != nil {
			return permanentUnlessUnreachable(err)
		}
		return errOld
	}
	ctx, cancel := context.WithDeadline(ctx, l.cur.Alive.Add(l.opts.Lease))
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, callTimeout)
	defer stop()
	if _, err := l.opts.Dtabs.Update(ctx, l.cur.Plan.Namespace, d, v); err != nil {
		return fmt.Errorf("rollout: writing %s: %w", l.cur.Plan.Namespace, err)
	}
	return nil
}

// errOld says that what was read has become old while the lease was renewed.
var errOld = fmt.Errorf("rollout: read again: %w", namerd.ErrMismatch)

func permanentUnlessUnreachable(err error) error {
	if errors.Is(err, ErrTaken) || errors.Is(err, ErrGone) {
		return permanentError{err}
	}
	return err
}
