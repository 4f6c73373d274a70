package meshh2_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshh2"
)

type httpCarrier http.Header

func (c httpCarrier) Values(key string) []string { return http.Header(c).Values(key) }
func (c httpCarrier) Set(key, value string)      { http.Header(c).Set(key, value) }
func (c httpCarrier) Del(key string)             { http.Header(c).Del(key) }

// FuzzHeadAsCarrier: package propagation reads from a Head what it reads from an
// http.Header, and leaves the same.
func FuzzHeadAsCarrier(f *testing.F) {
	f.Add("1 2", "/a=>/b", "/c=>/d", telemetry.NewTrace().EncodeString(), "0.5", "1f", "1", false)
	f.Add("x", "/", "~", "AAAA", "nan", "-1", "true", true)
	f.Fuzz(func(t *testing.T, deadline, ctxDtab, userDtab, trace, sample, id, sampled string, b3 bool) {
		p := propagation.Propagator{}
		if b3 {
			p = propagation.Zipkin()
		}
		in := []string{
			"l5d-ctx-deadline", deadline, "other", id, "l5d-ctx-dtab", ctxDtab, "l5d-ctx-dtab", userDtab, "l5d-dtab", userDtab, "l5d-ctx-trace", trace,
			"l5d-sample", sample, "x-b3-traceid", id, "x-b3-spanid", id, "x-b3-flags", sampled, "x-b3-sampled", sampled, "l5d-ctx-deadline", sample,
		}
		h, want := head(in...), http.Header{}
		for i := 0; i < len(in); i += 2 {
			want.Add(in[i], in[i+1])
		}
		own := weft.WithDtab(telemetry.WithTrace(context.Background(), telemetry.Trace{TraceLow: 1, Span: 1, Parent: 1}), nil)
		ctx, cancel, err := p.Extract(own, h, nil)
		defer cancel()
		wantCtx, cancel, wantErr := p.Extract(own, httpCarrier(want), nil)
		defer cancel()
		require.Equal(t, wantErr, err)
		assert.Equal(t, propagation.DeadlineFrom(wantCtx), propagation.DeadlineFrom(ctx))
		assert.Equal(t, weft.LocalDtab(wantCtx).String(), weft.LocalDtab(ctx).String())
		got, _ := telemetry.TraceFrom(ctx)
		same, _ := telemetry.TraceFrom(wantCtx)
		assert.Equal(t, same.HasParent(), got.HasParent())
		if same.HasParent() { // otherwise each is a new one
			assert.Equal(t, []uint64{same.TraceLow, same.Parent}, []uint64{got.TraceLow, got.Parent})
		}
		span := telemetry.Trace{TraceLow: 7, Span: 8, Parent: 9}
		p.InjectSpan(ctx, span, propagation.Deadline{}, h)
		p.InjectSpan(wantCtx, span, propagation.Deadline{}, httpCarrier(want))
		left := http.Header{}
		for name, value := range h.All() {
			assert.Equal(t, strings.ToLower(name), name)
			left.Add(name, value)
		}
		assert.Equal(t, want, left)
	})
}

// FuzzRequest: whatever comes in, what goes out has the mesh's own fields once, and
// the pseudo-headers first.
func FuzzRequest(f *testing.F) {
	f.Add("/a", "via", "a, b", "l5d-dst-client", "/x", "2S", true)
	f.Add("http://x/y", ":authority", "z", "x-forwarded-client-cert", "Hash=1", "99999999H", false)
	f.Fuzz(func(t *testing.T, path, name1, value1, name2, value2, timeout string, again bool) {
		r := request(":method", "POST", ":path", path, "content-type", "application/grpc", strings.ToLower(name1), value1,
			"x", "1", strings.ToLower(name2), value2, "grpc-timeout", timeout, "x", "2")
		if strings.HasPrefix(name1, ":") || strings.HasPrefix(name2, ":") || name1 == "" || name2 == "" {
			return // the connection has refused it
		}
		if r.Arrive(t.Context(), &meshh2.Inbound{MaxCallDepth: 1 << 20}, local, remote) != nil {
			return
		}
		r.Route(dtab.MustPath("/svc/a"))
		to := meshh2.Departure{Client: dtab.MustPath("/#/a"), Trace: r.Trace.Child()}
		r.Depart(weft.AddDtab(t.Context(), r.Local), propagation.Propagator{}, to)
		if again {
			r.Depart(weft.AddDtab(t.Context(), r.Local), propagation.Propagator{}, to)
		}
		for _, name := range []string{"l5d-dst-service", "l5d-dst-client", "l5d-ctx-trace", "l5d-reqid", "via"} {
			assert.Len(t, r.Values(name), 1, name)
		}
		assert.Equal(t, "/#/a", r.Get("l5d-dst-client"))
		assert.Empty(t, r.Get("l5d-dst-residual"))
		assert.Empty(t, r.Get("x-forwarded-client-cert"))
		assert.Empty(t, r.Get("l5d-dtab"))
		regular := false
		for name := range r.All() {
			if strings.HasPrefix(name, ":") {
				assert.False(t, regular, "%v", r.Fields)
			} else {
				regular = true
			}
		}
	})
}
