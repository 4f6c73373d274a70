package storetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// writes is every operation and every error of it (rows 121 and 122 of the
// specification). Two handles take turns, so that each sees at once what the other
// has done.
func (h Harness) writes(t *testing.T) {
	t.Helper()
	ctx, g := t.Context(), newGroup()
	ns := g.name("a")
	a, b := dtab.MustParse("/svc=>/#/a"), dtab.MustParse("/svc=>/#/b")
	none := namerd.Note{}
	one, two := h.Open(t), h.Open(t)
	is := func(want namerd.Stored) {
		t.Helper()
		for _, s := range []namerd.Store{one, two} {
			requireStored(t, s, ns, want)
			list, err := s.List(ctx)
			require.NoError(t, err)
			assert.IsNonDecreasing(t, list)
			if want.Exists {
				assert.Equal(t, []string{ns}, g.of(list))
			} else {
				assert.Empty(t, g.of(list))
			}
		}
	}
	fails := func(want, err error) {
		t.Helper()
		require.ErrorIs(t, err, want)
		var e *namerd.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, ns, e.Namespace)
	}

	is(namerd.Stored{})
	_, err := one.Update(ctx, ns, a, "1", none)
	fails(namerd.ErrMissing, err)
	_, err = two.Update(ctx, ns, a, "", none)
	fails(namerd.ErrMissing, err)
	fails(namerd.ErrMissing, one.Delete(ctx, ns, "", none))
	fails(namerd.ErrMissing, two.Delete(ctx, ns, "1", none))
	is(namerd.Stored{})

	v1, err := one.Create(ctx, ns, a, none)
	require.NoError(t, err)
	is(namerd.Stored{Exists: true, Dtab: a, Version: v1})
	for _, s := range []namerd.Store{one, two} {
		_, err = s.Create(ctx, ns, b, none)
		fails(namerd.ErrExists, err)
	}
	is(namerd.Stored{Exists: true, Dtab: a, Version: v1})

	v2, err := two.Update(ctx, ns, b, v1, none)
	require.NoError(t, err)
	is(namerd.Stored{Exists: true, Dtab: b, Version: v2})
	for _, s := range []namerd.Store{one, two} {
		_, err = s.Update(ctx, ns, a, v1, none)
		fails(namerd.ErrMismatch, err)
		fails(namerd.ErrMismatch, s.Delete(ctx, ns, v1, none))
	}
	is(namerd.Stored{Exists: true, Dtab: b, Version: v2})

	v3, err := one.Put(ctx, ns, a, none)
	require.NoError(t, err)
	is(namerd.Stored{Exists: true, Dtab: a, Version: v3})
	_, err = two.Update(ctx, ns, b, v2, none)
	fails(namerd.ErrMismatch, err)

	require.NoError(t, two.Delete(ctx, ns, "", none))
	is(namerd.Stored{})
	fails(namerd.ErrMissing, one.Delete(ctx, ns, "", none))
	fails(namerd.ErrMissing, one.Delete(ctx, ns, v3, none))
	_, err = one.Update(ctx, ns, b, v3, none)
	fails(namerd.ErrMissing, err)

	v4, err := two.Put(ctx, ns, b, none)
	require.NoError(t, err)
	is(namerd.Stored{Exists: true, Dtab: b, Version: v4})
	require.NoError(t, one.Delete(ctx, ns, v4, none))
	is(namerd.Stored{})
	v5, err := one.Create(ctx, ns, a, none)
	require.NoError(t, err)
	is(namerd.Stored{Exists: true, Dtab: a, Version: v5})
}

// requireStored checks what Get returns, but for its revision.
func requireStored(t tb, s namerd.Store, ns string, want namerd.Stored) {
	t.Helper()
	got, err := s.Get(t.Context(), ns)
	require.NoError(t, err)
	require.Equal(t, want.Exists, got.Exists, "it exists")
	require.Equal(t, want.Version, got.Version)
	require.Equal(t, want.Dtab.Exact(), got.Dtab.Exact())
}
