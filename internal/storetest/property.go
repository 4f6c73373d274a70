package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// property is that any sequence of operations by two handles does what a model says,
// and that observers of both follow.
func (h Harness) property(t *testing.T) {
	t.Helper()
	handles := []namerd.Store{h.Open(t), h.Open(t)}
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		// Check has no number of runs; one that failed is run again to make it smaller.
		if runs++; runs > h.Runs && !failed {
			return
		}
		failed = true
		h.steps(t, rt, handles)
		failed = false
	})
}

// steps is one run.
func (h Harness) steps(t *testing.T, rt *rapid.T, handles []namerd.Store) {
	t.Helper()
	m := &model{group: newGroup(), entries: map[string]*modelEntry{}}
	names := []string{m.group.name("a"), m.group.name("b"), m.group.name("c")}
	var dtabs []map[string]weft.Source[storedState]
	var lists []weft.Source[listState]
	for _, s := range handles {
		srcs := map[string]weft.Source[storedState]{}
		for _, ns := range names {
			srcs[ns] = s.Observe(rt.Context(), ns)
		}
		dtabs, lists = append(dtabs, srcs), append(lists, s.Namespaces(rt.Context()))
	}
	steps := rapid.IntRange(1, 2*h.Steps).Draw(rt, "steps")
	for range steps {
		s := rapid.SampledFrom(handles).Draw(rt, "handle")
		ns := rapid.SampledFrom(names).Draw(rt, "namespace")
		h.step(rt, m, s, ns)
		if rapid.IntRange(0, 3).Draw(rt, "look") == 0 {
			m.check(rt, h, handles)
		}
	}
	m.check(rt, h, handles)
	for i := range handles {
		for _, ns := range names {
			if e := m.entry(ns); e.version != "" {
				awaitDtab(rt, h, dtabs[i][ns], e.dtab, e.version)
			} else {
				awaitNone(rt, h, dtabs[i][ns])
			}
		}
		awaitNames(rt, h, lists[i], m.group, m.names()...)
	}
	for _, ns := range m.names() {
		require.NoError(rt, handles[0].Delete(t.Context(), ns, "", namerd.Note{}))
	}
}

// step is one operation.
func (h Harness) step(rt *rapid.T, m *model, s namerd.Store, ns string) {
	ctx, e := rt.Context(), m.entry(ns)
	d := drawDtab(rt)
	note := namerd.Note{Author: rapid.StringMatching(`[a-z@ ]{0,5}`).Draw(rt, "author"), Reason: rapid.SampledFrom([]string{"", "why", "ü\n"}).Draw(rt, "reason")}
	given := func() namerd.Version {
		versions := append([]namerd.Version{"", "x", e.version}, e.had...)
		return rapid.SampledFrom(versions).Draw(rt, "version")
	}
	switch rapid.SampledFrom([]string{"create", "update", "update right", "put", "delete", "delete right"}).Draw(rt, "operation") {
	case "create":
		v, err := s.Create(ctx, ns, d, note)
		m.wrote(rt, ns, d, v, note, err, e.mayCreate())
	case "update":
		given := given()
		v, err := s.Update(ctx, ns, d, given, note)
		m.wrote(rt, ns, d, v, note, err, e.mayUpdate(given))
	case "update right":
		v, err := s.Update(ctx, ns, d, e.version, note)
		m.wrote(rt, ns, d, v, note, err, e.mayUpdate(e.version))
	case "put":
		v, err := s.Put(ctx, ns, d, note)
		m.wrote(rt, ns, d, v, note, err, nil)
	case "delete":
		given := given()
		m.deleted(rt, h, ns, note, s.Delete(ctx, ns, given, note), e.mayDelete(given))
	case "delete right":
		m.deleted(rt, h, ns, note, s.Delete(ctx, ns, e.version, note), e.mayDelete(e.version))
	}
}

// drawDtab draws a dtab whose text says all of it, since that is what stores keep.
func drawDtab(rt *rapid.T) dtab.Dtab {
	n := rapid.IntRange(0, 3).Draw(rt, "rules")
	var text strings.Builder
	for range n {
		prefix := rapid.SampledFrom([]string{"/", "/svc", "/svc/*", `/\x00\xff`, "/a/b/c"}).Draw(rt, "prefix")
		dst := rapid.SampledFrom([]string{"~", "!", "$", "/a", "/a|/b", "0.25*/a&0.75*/b", `/\x3b|(/x&/y)`}).Draw(rt, "dst")
		fmt.Fprintf(&text, "%s=>%s;", prefix, dst)
	}
	return dtab.MustParse(text.String())
}
