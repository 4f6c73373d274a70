package naming

import (
	"context"
	"slices"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// lookups are the look-ups that readings of one name share. A reading asks for
// what it needs between begin and end; what was asked for in an earlier reading
// is reused, and what the latest one did not ask for is cancelled. That is the
// whole lifetime of a look-up. Not safe for concurrent use.
type lookups struct {
	ctx   context.Context // the parent of every look-up's
	table table
	limit int // look-ups in one reading
	known []*lookup
	index map[lookupKey]*lookup // of known, once there are many
	round uint64                // counts the readings

	// Of the present reading:
	asked   int
	signals []<-chan struct{} // what makes it out of date
	stale   error             // why a value that was used may be out of date
}

// lookupKey is what a look-up is for: a namer, by its place in the table, and the
// path that it gets.
type lookupKey struct {
	namer int
	path  dtab.Path
}

// many is how many look-ups are worth an index: nearly all names have one or two.
const many = 8

type lookup struct {
	key    lookupKey
	src    weft.Source[answer]
	cancel context.CancelFunc
	state  answer
	round  uint64 // the last reading that used it
}

func newLookups(ctx context.Context, t table, limit int) *lookups {
	return &lookups{ctx: ctx, table: t, limit: limit}
}

// begin starts a reading.
func (l *lookups) begin() {
	l.round++
	l.asked = 0
	l.signals = l.signals[:0]
	l.stale = nil
}

// spend counts one look-up of a path and reports whether it is allowed.
func (l *lookups) spend() bool {
	l.asked++
	return l.asked <= l.limit
}

// exhausted reports whether the reading wanted more look-ups than allowed.
func (l *lookups) exhausted() bool { return l.asked > l.limit }

// watch makes a reading depend on a Source, whose Load returned stale and, if it
// is stale, err.
func (l *lookups) watch(stale <-chan struct{}, known bool, err error) {
	if stale != nil {
		l.signals = append(l.signals, stale)
	}
	if known && err != nil && l.stale == nil {
		l.stale = err
	}
}

// resolve asks the namers for p, in their order, until one does not say Neg.
// visit, if it is not nil, is told of each answer.
func (l *lookups) resolve(p dtab.Path, visit func(prefix dtab.Path, a answer)) answer {
	for i, n := range l.table {
		if !p.HasPrefix(n.Prefix) {
			continue
		}
		a := l.ask(i, p.Drop(n.drop))
		if visit != nil {
			visit(n.Prefix, a)
		}
		if !a.Known || a.Value.Op != dtab.Neg {
			return a
		}
	}
	return Ok(dtab.Tree[Name]{})
}

// ask returns what a namer says about p, the same throughout a reading.
func (l *lookups) ask(namer int, p dtab.Path) answer {
	key := lookupKey{namer, p}
	x := l.find(key)
	if x == nil {
		ctx, cancel := context.WithCancel(l.ctx)
		x = &lookup{key: key, src: l.table[namer].Namer.Lookup(ctx, p), cancel: cancel}
		l.add(x)
	}
	if x.round != l.round {
		x.round = l.round
		var stale <-chan struct{}
		x.state, stale = x.src.Load()
		if stale == nil {
			x.cancel() // nothing keeps a constant up to date
		}
		l.watch(stale, x.state.Known, x.state.Err)
	}
	return x.state
}

func (l *lookups) find(key lookupKey) *lookup {
	if l.index != nil {
		return l.index[key]
	}
	for _, x := range l.known {
		if x.key == key {
			return x
		}
	}
	return nil
}

func (l *lookups) add(x *lookup) {
	l.known = append(l.known, x)
	switch {
	case l.index != nil:
		l.index[x.key] = x
	case len(l.known) > many:
		l.index = map[lookupKey]*lookup{}
		for _, x := range l.known {
			l.index[x.key] = x
		}
	}
}

// end finishes a reading: it cancels the look-ups that were not asked for.
func (l *lookups) end() {
	l.known = slices.DeleteFunc(l.known, func(x *lookup) bool {
		if x.round == l.round {
			return false
		}
		x.cancel()
		delete(l.index, x.key)
		return true
	})
}
