package k8s

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// feed is what one reader reads of one group of objects. It is for one goroutine.
type feed[T any] struct {
	group  string
	cancel context.CancelFunc
	views  weft.Source[naming.State[view[T]]]

	id      uint64 // of the store that objects are of
	objects weft.Source[[]object[T]]
	release func()
}

// feed observes a group of a scope until ctx ends or the feed is closed; close it in
// any case.
func (k *kind[T]) feed(ctx context.Context, s scope, group string) *feed[T] {
	ctx, cancel := context.WithCancel(ctx)
	return &feed[T]{group: group, cancel: cancel, views: k.Observe(ctx, s)}
}

// read returns the objects of the group, in the order of their keys, and adds what
// to wait for to signals.
func (f *feed[T]) read(signals *[]<-chan struct{}) naming.State[[]object[T]] {
	s, stale := f.views.Load()
	*signals = append(*signals, stale)
	if !s.Known {
		return naming.State[[]object[T]]{Err: s.Err}
	}
	if f.objects == nil || f.id != s.Value.id {
		f.forget()
		f.id = s.Value.id
		f.objects, f.release = s.Value.store.observe(f.group)
	}
	all, stale := f.objects.Load()
	*signals = append(*signals, stale)
	return naming.State[[]object[T]]{Value: all, Known: true, Err: s.Err, Version: newest(all)}
}

func (f *feed[T]) close() {
	if f != nil {
		f.cancel()
		f.forget()
	}
}

func (f *feed[T]) forget() {
	if f.release != nil {
		f.release()
		f.release, f.objects = nil, nil
	}
}

// newest returns the greatest version of objects.
func newest[T any](all []object[T]) string {
	version := ""
	for _, o := range all {
		if version == "" || older(version, o.version) {
			version = o.version
		}
	}
	return version
}
