package naming

import (
	"context"
	"sync/atomic"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Derive returns a Source whose value is f of the value of src. It costs no
// goroutine: f runs in Load, and again only after src has changed. f must be pure
// and is called concurrently.
func Derive[T, U any](src weft.Source[T], f func(T) U) weft.Source[U] {
	if v, stale := src.Load(); stale == nil {
		return weft.Const[U]{V: f(v)}
	}
	return &derived[T, U]{src: src, f: f}
}

type derived[T, U any] struct {
	src  weft.Source[T]
	f    func(T) U
	last atomic.Pointer[derivation[U]]
}

// derivation is f's last answer. The stale channel stands for the version of the
// source: a Source hands out the same channel as long as its value is the same.
type derivation[U any] struct {
	v     U
	stale <-chan struct{}
}

func (d *derived[T, U]) Load() (U, <-chan struct{}) {
	v, stale := d.src.Load()
	if last := d.last.Load(); last != nil && last.stale == stale {
		return last.v, stale
	}
	u := d.f(v)
	d.last.Store(&derivation[U]{v: u, stale: stale})
	return u, stale
}

// MapState applies f to the value of s if there is one, and keeps its error.
func MapState[T, U any](s State[T], f func(T) U) State[U] {
	u := State[U]{Known: s.Known, Err: s.Err, Version: s.Version}
	if s.Known {
		u.Value = f(s.Value)
	}
	return u
}

// LeafWhilePresent is the answer of a Namer that has an endpoint set and nothing
// else to say: a leaf with the name id and what is left of the path, or Neg
// while the set says that there is no such name. observe is called with ctx for
// that, and with the contexts of those who use the endpoints.
func LeafWhilePresent(
	ctx context.Context, id, residual dtab.Path, observe func(context.Context) weft.Source[State[weft.EndpointSet]],
) weft.Source[State[dtab.Tree[Name]]] {
	leaf := dtab.LeafOf(Name{Bound: &Bound{ID: id, Residual: residual, Addrs: observe}})
	return Derive(observe(ctx), func(s State[weft.EndpointSet]) State[dtab.Tree[Name]] {
		return MapState(s, func(set weft.EndpointSet) dtab.Tree[Name] {
			if set.Neg {
				return dtab.Tree[Name]{}
			}
			return leaf
		})
	})
}
