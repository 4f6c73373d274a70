package propagation

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// TakeDtab reads the per-request dtab: every l5d-ctx-dtab, then every l5d-dtab, so
// that what the user asked for wins over what an earlier hop carried along. Both
// headers are removed, also if one does not parse; the error is a
// *dtab.SyntaxError.
func TakeDtab(c Carrier) (dtab.Dtab, error) {
	var all dtab.Dtab
	var failed error
	for _, key := range [...]string{HeaderCtxDtab, HeaderDtab} {
		values := c.Values(key)
		if len(values) == 0 {
			continue
		}
		for _, v := range values {
			d, err := dtab.Parse(v)
			if err != nil && failed == nil {
				failed = err
			}
			all = append(all, d...)
		}
		c.Del(key)
	}
	if failed != nil {
		return nil, failed
	}
	return all, nil
}

// injectDtab writes the per-request dtab of ctx in canonical form. What the user
// asked for has been folded into it, so l5d-dtab is never forwarded.
func injectDtab(ctx context.Context, c Carrier) {
	if d := weft.LocalDtab(ctx); len(d) > 0 {
		c.Set(HeaderCtxDtab, d.String())
	}
}
