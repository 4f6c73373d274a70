package etcd

import (
	"maps"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// view is everything below the path prefix at a revision. It is not written to.
type view struct {
	revision int64 // first, as nearly all views differ in it
	of       string
	listed   int64 // the revision since which every deletion was seen
	values   map[string]value
	gone     map[string]int64 // the revisions of deletions
}

// value is what is known of a namespace.
type value struct {
	modified int64 // the revision of the key
	stored   naming.State[namerd.Stored]
}

// maxGone is how many deletions are remembered by their revisions.
const maxGone = 1000

// clone returns a view that can be changed.
func (v *view) clone() *view {
	c := *v
	c.values, c.gone = maps.Clone(v.values), maps.Clone(v.gone)
	return &c
}

// put takes the value of a key. One that is not a dtab leaves what was before it in
// force, if that is known.
func (v *view) put(ns string, kv *mvccpb.KeyValue, before naming.State[namerd.Stored]) error {
	delete(v.gone, ns)
	st, err := parse(v.of, kv.Value, kv.ModRevision)
	x := value{modified: kv.ModRevision, stored: naming.Ok(st)}
	if err != nil {
		x.stored = before
		x.stored.Err = &naming.AnswerError{Err: failed(ns, err)}
	}
	v.values[ns] = x
	return err
}

// remove notes that a key was deleted.
func (v *view) remove(ns string, revision int64) {
	delete(v.values, ns)
	if len(v.gone) >= maxGone {
		v.listed, v.gone = revision, map[string]int64{}
		return
	}
	v.gone[ns] = revision
}

// at returns what is known of a namespace.
func (v *view) at(ns string) naming.State[namerd.Stored] {
	if x, ok := v.values[ns]; ok {
		return x.stored
	}
	return naming.Ok(missing(v.of, max(v.listed, v.gone[ns])))
}

// names returns the namespaces.
func (v *view) names() []string {
	list := slices.AppendSeq(make([]string, 0, len(v.values)), maps.Keys(v.values))
	slices.Sort(list)
	return list
}
