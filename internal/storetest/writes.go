package storetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// writes is every operation and every error of it (rows 121 and 122 of the
// specification).
func (h Harness) writes(t *testing.T) {
	ctx, s, ns := t.Context(), h.Open(t), newNamespace(t)
	a, b := dtab.MustParse("/svc=>/#/a"), dtab.MustParse("/svc=>/#/b")

	got, err := s.Get(ctx, ns)
	require.NoError(t, err)
	assert.False(t, got.Exists)
	_, err = s.Update(ctx, ns, a, "1", namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMissing)
	require.ErrorIs(t, s.Delete(ctx, ns, "", namerd.Note{}), namerd.ErrMissing)

	v1, err := s.Create(ctx, ns, a, namerd.Note{})
	require.NoError(t, err)
	_, err = s.Create(ctx, ns, b, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrExists)
	v2, err := s.Update(ctx, ns, b, v1, namerd.Note{})
	require.NoError(t, err)
	_, err = s.Update(ctx, ns, a, v1, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)
	got, err = s.Get(ctx, ns)
	require.NoError(t, err)
	assert.Equal(t, v2, got.Version)
}
