package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// versions is that every write makes a version that the namespace never had, even
// one that changes nothing or follows a deletion, and that former ones do not match.
func (h Harness) versions(t *testing.T) {
	t.Helper()
	ctx, ns, d := t.Context(), newNamespace(), dtab.MustParse("/svc=>/#/a")
	one, two := h.Open(t), h.Open(t)
	note := namerd.Note{}
	had, last := map[namerd.Version]int{}, namerd.Version("")
	add := func(v namerd.Version, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NotEmpty(t, v)
		before, again := had[v]
		require.Falsef(t, again, "version %q of write %d is that of write %d", v, len(had), before)
		had[v], last = len(had), v
	}
	for range 4 {
		add(one.Create(ctx, ns, d, note))
		add(two.Update(ctx, ns, d, last, note))
		add(one.Put(ctx, ns, d, note))
		add(two.Put(ctx, ns, d, note))
		require.NoError(t, one.Delete(ctx, ns, "", note))
		add(two.Put(ctx, ns, d, note))
		add(one.Update(ctx, ns, d, last, note))
		require.NoError(t, two.Delete(ctx, ns, last, note))
	}
	add(one.Create(ctx, ns, d, note))
	for v := range had {
		if v == last {
			continue
		}
		_, err := two.Update(ctx, ns, nil, v, note)
		require.ErrorIsf(t, err, namerd.ErrMismatch, "version %q while it is %q", v, last)
		require.ErrorIs(t, two.Delete(ctx, ns, v, note), namerd.ErrMismatch)
	}
	requireStored(t, one, ns, namerd.Stored{Exists: true, Dtab: d, Version: last})
}

// foreignVersions is that a version which the store could not have made is another one.
func (h Harness) foreignVersions(t *testing.T) {
	t.Helper()
	ctx, g, d := t.Context(), newGroup(), dtab.MustParse("/svc=>/#/a")
	s, note := h.Open(t), namerd.Note{}
	ns, missing := g.name("a"), g.name("b")
	v, err := s.Create(ctx, ns, d, note)
	require.NoError(t, err)
	for _, bad := range foreign(v) {
		_, err = s.Update(ctx, ns, nil, bad, note)
		require.ErrorIsf(t, err, namerd.ErrMismatch, "update with version %.40q", bad)
		_, err = s.Update(ctx, missing, nil, bad, note)
		require.ErrorIsf(t, err, namerd.ErrMissing, "update of a missing namespace with version %.40q", bad)
		require.ErrorIs(t, s.Delete(ctx, missing, bad, note), namerd.ErrMissing)
		if bad != "" {
			require.ErrorIsf(t, s.Delete(ctx, ns, bad, note), namerd.ErrMismatch, "delete with version %.40q", bad)
		}
	}
	requireStored(t, s, ns, namerd.Stored{Exists: true, Dtab: d, Version: v})
}

// foreign returns versions other than v, some of which a lax parser takes for it.
func foreign(v namerd.Version) []namerd.Version {
	all := []namerd.Version{
		"", " ", "x", "*", "0", "-1", "1", "18446744073709551615", "18446744073709551616", "99999999999999999999999999", "\x00", "\xff\xfe", "🌍", "a/b", "a\nb",
		"\x00\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00", "\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff",
		"0" + v, "+" + v, v + " ", " " + v, v + "\n", v + "0", v + v, v[:len(v)-1], "\x00" + v, v + "\x00", `"` + v + `"`,
		namerd.Version(make([]byte, 4096)),
	}
	kept := all[:0]
	for _, f := range all {
		if f != v {
			kept = append(kept, f)
		}
	}
	return kept
}

// names is which namespaces there can be.
func (h Harness) names(t *testing.T) {
	t.Helper()
	ctx, s, note := t.Context(), h.Open(t), namerd.Note{}
	d := dtab.MustParse("/svc=>/#/a")
	for _, ns := range h.BadNamespaces {
		fails := func(op string, err error) {
			t.Helper()
			require.ErrorIsf(t, err, namerd.ErrInvalid, "%s of %.40q", op, ns)
		}
		_, err := s.Create(ctx, ns, d, note)
		fails("create", err)
		_, err = s.Update(ctx, ns, d, "1", note)
		fails("update", err)
		_, err = s.Put(ctx, ns, d, note)
		fails("put", err)
		fails("delete", s.Delete(ctx, ns, "", note))
		got, err := s.Get(ctx, ns)
		if err != nil {
			fails("get", err)
		}
		assert.False(t, got.Exists)
		changes, err := s.History(ctx, ns, 10)
		if err != nil {
			fails("history", err)
		}
		assert.Empty(t, changes)
		st := await(t, h, s.Observe(ctx, ns), "anything", func(s storedState) bool { return !s.Pending() })
		if st.Err != nil {
			fails("observation", st.Err)
		}
		assert.False(t, st.Value.Exists)
	}
	for _, ns := range h.GoodNamespaces {
		v, err := s.Create(ctx, ns, d, note)
		require.NoErrorf(t, err, "%.40q", ns)
		requireStored(t, s, ns, namerd.Stored{Exists: true, Dtab: d, Version: v})
		awaitDtab(t, h, s.Observe(ctx, ns), d, v)
		list, err := s.List(ctx)
		require.NoError(t, err)
		assert.Contains(t, list, ns)
		changes, err := s.History(ctx, ns, 1)
		require.NoError(t, err)
		assert.Equal(t, []string{fmt.Sprintf("%q", v)}, versionsOf(changes))
		require.NoError(t, s.Delete(ctx, ns, v, note))
	}
}
