package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// many is many namespaces, all observed.
func (h Harness) many(t *testing.T) {
	t.Helper()
	ctx, g, note := t.Context(), newGroup(), namerd.Note{}
	one, two := h.Open(t), h.Open(t)
	list := two.Namespaces(ctx)
	names := make([]string, h.Many)
	dtabs := make([]dtab.Dtab, h.Many)
	versions := make([]namerd.Version, h.Many)
	for i := range names {
		names[i] = g.name(fmt.Sprintf("%05d", i))
		dtabs[i] = dtab.MustParse(fmt.Sprintf("/svc=>/#/%d", i))
	}
	each := func(do func(i int) error) {
		t.Helper()
		errs := make(chan error, len(names))
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := w; i < len(names); i += 8 {
					errs <- do(i)
				}
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
	}
	each(func(i int) (err error) {
		versions[i], err = one.Create(ctx, names[i], dtabs[i], note)
		return err
	})
	awaitNames(t, h, list, g, names...)
	got, err := one.List(ctx)
	require.NoError(t, err)
	assert.True(t, slices.IsSorted(got))
	assert.Equal(t, names, g.of(got))
	for i, ns := range names {
		awaitDtab(t, h, two.Observe(ctx, ns), dtabs[i], versions[i])
	}
	each(func(i int) (err error) {
		dtabs[i] = dtab.MustParse(fmt.Sprintf("/svc=>/#/new/%d", i))
		versions[i], err = one.Update(ctx, names[i], dtabs[i], versions[i], note)
		return err
	})
	for i, ns := range names {
		awaitDtab(t, h, two.Observe(ctx, ns), dtabs[i], versions[i])
	}
	each(func(i int) error { return two.Delete(ctx, names[i], versions[i], note) })
	awaitNames(t, h, list, g)
	for _, ns := range names {
		awaitNone(t, h, two.Observe(ctx, ns))
	}
}
