package k8s

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// snapshot is all objects at some time.
type snapshot struct {
	serial  uint64 // numbers them; the first field, by which comparisons end
	of      string // what revisions are of
	at      uint64 // the revision of the last change
	objects []k8s.Object[object]
}

// String says how many objects there are, for the status of the watch.
func (s *snapshot) String() string {
	bad := 0
	for _, o := range s.objects {
		if o.Value.bad != nil {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Sprintf("%d dtabs, %d malformed", len(s.objects), bad)
	}
	return fmt.Sprintf("%d dtabs", len(s.objects))
}

// find returns an object by its name.
func (s *snapshot) find(name string) (object, bool) {
	i, ok := slices.BinarySearchFunc(s.objects, name, func(o k8s.Object[object], name string) int {
		switch {
		case o.Name < name:
			return -1
		case o.Name > name:
			return 1
		default:
			return 0
		}
	})
	if !ok {
		return object{}, false
	}
	return s.objects[i].Value, true
}

// watchObjects is the naming.Watcher of all objects.
func (s *Store) watchObjects(ctx context.Context, _ allDtabs, set func(naming.State[*snapshot])) error {
	var last *snapshot
	report := func(all []k8s.Object[object], version string) {
		if last == nil || !slices.EqualFunc(all, last.objects, same) {
			next := &snapshot{serial: 1, of: s.order(ctx), at: number(version), objects: all}
			if last != nil {
				next.serial = last.serial + 1
			}
			last = next
		}
		set(naming.Ok(last).At(version))
	}
	k8s.Follow(ctx, s.client, k8s.Resource[object]{API: api, Plural: plural, Decode: decode}, s.namespace, report, func(err error) {
		answer, answered := errors.AsType[*k8s.StatusError](err)
		err = explained("", err)
		if answered && answer.Code != http.StatusNotFound && answer.Code < http.StatusTooManyRequests {
			err = &naming.AnswerError{Err: err}
		}
		set(naming.Failed[*snapshot](err))
	})
	return nil
}

// same reports whether an object is the same version of the same one.
func same(a, b k8s.Object[object]) bool { return a.Name == b.Name && a.Version == b.Version }

// watchNames is the naming.Watcher of the names of the objects.
func (s *Store) watchNames(ctx context.Context, n allNames, set func(naming.State[[]string])) error {
	return derive(ctx, s, n.namespace, func(all *snapshot, err error) {
		names := make([]string, len(all.objects))
		for i, o := range all.objects {
			names[i] = o.Name
		}
		set(naming.State[[]string]{Value: names, Known: true, Err: err})
	}, func(err error) { set(naming.Failed[[]string](err)) })
}

// watchDtab is the naming.Watcher of an object.
func (s *Store) watchDtab(ctx context.Context, d oneDtab, set func(naming.State[namerd.Stored])) error {
	fail := func(err error) { set(naming.Failed[namerd.Stored](err)) }
	var last *namerd.Stored
	return derive(ctx, s, d.namespace, func(all *snapshot, err error) {
		o, ok := all.find(d.name)
		st := o.stored(all.of)
		switch {
		case ok && o.bad != nil:
			fail(&naming.AnswerError{Err: &malformed{s.path() + "/" + d.name, o.bad}})
			return
		case !ok && last != nil && !last.Exists:
			st = *last // still; it does not matter since when others have changed
		case !ok:
			st = namerd.Stored{Revision: namerd.Revision{Of: all.of, N: all.at}}
		}
		last = &st
		set(naming.State[namerd.Stored]{Value: st, Known: true, Err: err, Version: o.version})
	}, fail)
}

// derive tells use of every snapshot, and why it may be out of date, or why there is none.
func derive(ctx context.Context, s *Store, namespace string, use func(*snapshot, error), fail func(error)) error {
	src := s.objects.Observe(ctx, allDtabs{namespace})
	for {
		st, newer := src.Load()
		switch {
		case st.Known:
			use(st.Value, st.Err)
		case st.Err != nil:
			fail(st.Err)
		}
		if err := naming.Any(ctx, []<-chan struct{}{newer}); err != nil {
			return err
		}
	}
}
