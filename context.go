package weft

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
)

type dtabKey struct{}

// WithDtab returns a context that carries local as the per-request dtab. It
// replaces the one ctx carries; use AddDtab to keep that.
func WithDtab(ctx context.Context, local dtab.Dtab) context.Context {
	return context.WithValue(ctx, dtabKey{}, local)
}

// AddDtab returns a context whose per-request dtab is that of ctx followed by d,
// so that the rules of d win.
func AddDtab(ctx context.Context, d dtab.Dtab) context.Context {
	if len(d) == 0 {
		return ctx
	}
	old := LocalDtab(ctx)
	local := make(dtab.Dtab, 0, len(old)+len(d))
	return WithDtab(ctx, append(append(local, old...), d...))
}

// LocalDtab returns the per-request dtab that ctx carries, nil if none. It must
// not be written to.
func LocalDtab(ctx context.Context) dtab.Dtab {
	d, _ := ctx.Value(dtabKey{}).(dtab.Dtab)
	return d
}
