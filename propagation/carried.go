package propagation

import (
	"context"
	"iter"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// prefixCtx is how the headers begin that every application is asked to pass on.
const prefixCtx = "l5d-ctx-"

type carriedKey struct{}

// CarryOn returns a context that carries those l5d-ctx-* headers that this package
// gives no meaning to: Linkerd asks every application to pass on all of them. So it
// does with the tracestate of a trace that came with one. It is called with the headers
// that Extract has left.
func CarryOn(ctx context.Context, headers map[string][]string) context.Context {
	var pairs []string
	t, _ := telemetry.TraceFrom(ctx)
	for key, values := range headers {
		switch {
		case strings.EqualFold(key, headerTraceState) && Forms(t.Forms)&W3C != 0:
		case len(key) <= len(prefixCtx) || !strings.EqualFold(key[:len(prefixCtx)], prefixCtx) || strings.EqualFold(key, HeaderDeadline):
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
// in; a key with several values comes several times in a row. A tracestate is for calls
// that have no traceparent of their own.
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
