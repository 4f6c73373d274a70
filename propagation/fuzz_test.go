package propagation_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

func FuzzParseDeadline(f *testing.F) {
	for _, s := range []string{"1 2", "-1 -2 3", "", "1", "x y", "0 9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := propagation.ParseDeadline(s)
		if !ok {
			assert.True(t, d.IsZero())
			return
		}
		again, ok := propagation.ParseDeadline(d.String())
		assert.True(t, ok)
		assert.Equal(t, d, again)
		assert.Equal(t, d.String(), d.Combine(again).String())
	})
}

// FuzzHeaders: whatever comes in, what goes out is read by the next hop as it was
// meant.
func FuzzHeaders(f *testing.F) {
	f.Add("1 2", "/a=>/b", "/c=>/d", telemetry.NewTrace().EncodeString(), "0.5", "1f", "1", false)
	f.Add("x", "/", "~", "AAAA", "nan", "-1", "true", true)
	f.Fuzz(func(t *testing.T, deadline, ctxDtab, userDtab, trace, sample, id, sampled string, b3 bool) {
		p := propagation.Propagator{}
		if b3 {
			p = propagation.Zipkin()
		}
		h := header("l5d-ctx-deadline", deadline, "l5d-ctx-dtab", ctxDtab, "l5d-dtab", userDtab, "l5d-ctx-trace", trace,
			"l5d-sample", sample, "x-b3-traceid", id, "x-b3-spanid", id, "x-b3-flags", id, "x-b3-sampled", sampled)
		ctx, cancel, err := p.Extract(context.Background(), h, recording())
		defer cancel()
		if err != nil {
			return
		}
		client, span := propagation.ClientSpan(ctx, recording())
		out := http.Header{}
		p.Inject(client, out)
		next, cancel, err := p.Extract(context.Background(), out.Clone(), recording())
		defer cancel()
		if !assert.NoError(t, err, "%q", out) {
			return
		}
		got, _ := telemetry.TraceFrom(next)
		assert.Equal(t, []uint64{span.TraceLow, span.Span}, []uint64{got.TraceLow, got.Parent})
		assert.Equal(t, propagation.DeadlineFrom(ctx).String(), propagation.DeadlineFrom(next).String())
		assert.Equal(t, weft.LocalDtab(ctx).String(), weft.LocalDtab(next).String())
	})
}
