package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// window is how many rules of writers a dtab keeps, so that its length does not grow
// with the number of writes.
const window = 8

// Concurrent has writers append rules to dtabs, each in a loop of reading and updating,
// and checks the history of it: every acknowledged write is in exactly one version and
// in what follows from that, no refused one is in any, the versions form one chain, no
// two of them were made from the same one, and everything that was read or observed
// meanwhile was in that chain.
func (h Harness) Concurrent(t *testing.T, l Load) {
	t.Helper()
	h, l = h.withDefaults(), l.withDefaults()
	ctx, g := t.Context(), newGroup()
	handles := make([]namerd.Store, l.Handles)
	for i := range handles {
		handles[i] = h.Open(t)
	}
	chains := make([]*chain, l.Namespaces)
	for i := range chains {
		ns := g.name(strconv.Itoa(i))
		d := dtab.MustParse("/first=>~")
		v, err := handles[0].Create(ctx, ns, d, namerd.Note{Author: "first"})
		require.NoError(t, err)
		chains[i] = newChain(ns, v, d)
	}
	var observed [][]*recording[namerd.Stored] // by chain and handle
	for _, c := range chains {
		var of []*recording[namerd.Stored]
		for _, s := range handles {
			of = append(of, record(s.Observe(ctx, c.namespace)))
		}
		observed = append(observed, of)
	}

	faults := func() {}
	if l.Faults != nil {
		fctx, cancel := context.WithCancel(ctx)
		var end sync.WaitGroup
		end.Go(func() { l.Faults(fctx) })
		faults = func() { cancel(); end.Wait() }
	}
	var left atomic.Int64
	left.Store(int64(l.Writes))
	var writers sync.WaitGroup
	for i := range l.Writers {
		// Writers of one dtab are on all handles.
		w := &writer{id: i, store: handles[i/l.Namespaces%l.Handles], chain: chains[i%l.Namespaces], faulty: l.Faults != nil}
		writers.Go(func() { w.run(t, &left) })
	}
	writers.Wait()
	faults()
	if t.Failed() {
		return
	}

	acknowledged := 0
	for i, c := range chains {
		var last namerd.Stored
		require.Eventually(t, func() (ok bool) {
			var err error
			last, err = handles[0].Get(ctx, c.namespace)
			return err == nil
		}, h.Within, pauseBetween)
		changes, err := handles[0].History(ctx, c.namespace, h.History)
		require.NoError(t, err)
		for j, r := range observed[i] {
			awaitDtab(t, h, handles[j].Observe(ctx, c.namespace), last.Dtab, last.Version)
			all := r.stop()
			requireForward(t, h, all)
			c.observed = append(c.observed, all)
		}
		for _, problem := range c.check(last, changes) {
			t.Errorf("namespace %s: %s", c.namespace, problem)
		}
		acknowledged += c.acknowledged()
	}
	require.Equal(t, l.Writes, acknowledged)
	refused := 0
	for _, c := range chains {
		refused += len(c.attempts) - c.acknowledged()
	}
	t.Logf("%d writers on %d handles and %d namespaces: %d writes acknowledged, %d not", l.Writers, l.Handles, l.Namespaces, acknowledged, refused)
}

// writer appends rules to a dtab until enough were acknowledged.
type writer struct {
	id     int
	store  namerd.Store
	chain  *chain
	faulty bool
}

func (w *writer) run(t *testing.T, left *atomic.Int64) {
	t.Helper()
	for n := 0; !t.Failed() && left.Add(-1) >= 0; {
		for done := false; !done && !t.Failed(); n++ {
			done = w.attempt(t, fmt.Sprintf("%d-%d", w.id, n))
		}
	}
}

// attempt reads, appends one rule, and updates. It reports whether that was acknowledged.
func (w *writer) attempt(t *testing.T, id string) bool {
	t.Helper()
	base, err := w.store.Get(t.Context(), w.chain.namespace)
	if err != nil {
		if !w.faulty {
			t.Errorf("get: %v", err)
		}
		pauseForFault(w.faulty)
		return false
	}
	v, err := w.store.Update(t.Context(), w.chain.namespace, appended(base.Dtab, id), base.Version, namerd.Note{Author: id})
	a := attempt{id: id, base: base, made: v}
	switch {
	case err == nil:
		a.outcome = made
	case errors.Is(err, namerd.ErrMismatch):
		a.outcome = refused
	case w.faulty:
		a.outcome = unknown
		pauseForFault(true)
	default:
		t.Errorf("update: %v", err)
	}
	w.chain.add(a)
	return a.outcome == made
}

// appended returns d with a rule that has an id, and the last window of those before.
func appended(d dtab.Dtab, id string) dtab.Dtab {
	rule := dtab.MustParse("/" + id + "=>/w")
	return d[max(0, len(d)-window+1):].Concat(rule)
}
