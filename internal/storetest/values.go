package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// values is that dtabs come back as they were stored.
func (h Harness) values(t *testing.T) {
	t.Helper()
	ctx, ns := t.Context(), newNamespace()
	one, two := h.Open(t), h.Open(t)
	seen := two.Observe(ctx, ns)
	for _, text := range []string{
		"",
		"/=>~",
		"/=>!;/a=>$",
		"/svc=>/#/io.l5d.fs",
		"/svc/*/x=>/a|/b|~;/*=>/c",
		"/svc=>0.5*/a&0.25*/b&100*/c&/d|(/e&3*/f)",
		"/svc=>0*/a&1*/b",
		"/svc=>0.001*/a&0.999*/b&0.123456789*(/c|/d)",
		`/svc/\x00\xff\x2f=>/\x3b\x20\x3d\x3e`,
		"/svc=>/$/inet/127.1/80;/svc=>/$/inet/127.1/80;/svc=>/$/inet/127.1/81",
		`/\xf0\x9f\x8c\x8d=>/\xc3\xbc`,
		"/a_b-c.d:e$%=>/#:x",
		"/a=>(/b|(/c&(/d|/e)))",
	} {
		d, err := dtab.Parse(text)
		require.NoError(t, err, text)
		v, err := one.Put(ctx, ns, d, namerd.Note{})
		require.NoError(t, err, text)
		requireStored(t, two, ns, namerd.Stored{Exists: true, Dtab: d, Version: v})
		awaitDtab(t, h, seen, d, v)
		changes, err := two.History(ctx, ns, 1)
		require.NoError(t, err)
		require.Len(t, changes, 1)
		require.Equal(t, d.Exact(), changes[0].Dtab.Exact())
	}
}

// large is dtabs of many rules: they are kept or, above what the store must be able to
// have, refused as too large with no effect.
func (h Harness) large(t *testing.T) {
	t.Helper()
	ctx, ns := t.Context(), newNamespace()
	one, two := h.Open(t), h.Open(t)
	seen := two.Observe(ctx, ns)
	want := namerd.Stored{}
	for _, size := range []int{10 << 10, h.MaxText, 1 << 20} {
		d := dtabOf(size)
		v, err := one.Put(ctx, ns, d, namerd.Note{Author: strconv.Itoa(size)})
		if errors.Is(err, namerd.ErrTooLarge) {
			require.Greaterf(t, size, h.MaxText, "a dtab of %d bytes is refused", size)
		} else {
			require.NoErrorf(t, err, "a dtab of %d bytes", size)
			want = namerd.Stored{Exists: true, Dtab: d, Version: v}
		}
		requireStored(t, two, ns, want)
		awaitDtab(t, h, seen, want.Dtab, want.Version)
	}
	small := dtab.MustParse("/svc=>/#/small")
	v, err := two.Update(ctx, ns, small, want.Version, namerd.Note{})
	require.NoError(t, err)
	awaitDtab(t, h, seen, small, v)
	require.NoError(t, one.Delete(ctx, ns, v, namerd.Note{}))
}

// dtabOf returns a dtab whose text has at most size bytes and is hardly shorter.
func dtabOf(size int) dtab.Dtab {
	var b strings.Builder
	for i := 0; ; i++ {
		rule := fmt.Sprintf("/svc/number-%d=>/#/io.l5d.fs/number-%d|/$/inet/127.0.0.1/%d;", i, i, i%65536)
		if b.Len()+len(rule) > size {
			return dtab.MustParse(b.String())
		}
		b.WriteString(rule)
	}
}
