package propagation

import (
	"context"
	"iter"
	"strings"
)

// prefixCtx is how the headers begin that every application is asked to pass on.
const prefixCtx = "l5d-ctx-"

type carriedKey struct{}

// CarryOn returns a context that carries those l5d-ctx-* headers that this package
// gives no meaning to: Linkerd asks every application to pass on all of them. It
// is called with the headers that Extract has left.
func CarryOn(ctx context.Context, headers map[string][]string) context.Context {
	var pairs []string
	for key, values := range headers {
		if len(key) <= len(prefixCtx) || !strings.EqualFold(key[:len(prefixCtx)], prefixCtx) || strings.EqualFold(key, HeaderDeadline) {
			continue // a deadline that is still there could not be read
		}
		for _, v := range values {
			pairs = append(pairs, key, v)
		}
	}
	if pairs == nil {
		return ctx
	}
	return context.WithValue(ctx, carriedKey{}, pairs)
}

// Carried yields the headers that CarryOn put into ctx, in the spelling they came
// in; a key with several values comes several times in a row.
func Carried(ctx context.Context) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		pairs, _ := ctx.Value(carriedKey{}).([]string)
		for i := 0; i+1 < len(pairs); i += 2 {
			if !yield(pairs[i], pairs[i+1]) {
				return
			}
		}
	}
}
