package meshh2_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport/meshh2"
)

const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// TestForeignTrace: what came goes out in the same form; behind a listener that clears
// the context, as another trace.
func TestForeignTrace(t *testing.T) {
	for _, cleared := range []bool{false, true} {
		r := arrive(t, meshh2.Inbound{ClearContext: cleared}, ":method", "GET", ":path", "/", "traceparent", traceParent, "tracestate", "a=b", "b3", "1")
		r.Route(dtab.MustPath("/svc/web"))
		r.Depart(t.Context(), propagation.Propagator{}, meshh2.Departure{Client: dtab.MustPath("/#/a"), Trace: r.Trace})
		assert.Equal(t, cleared, r.Get("traceparent")[:35] != traceParent[:35])
		assert.Equal(t, map[bool]string{false: "a=b"}[cleared], r.Get("tracestate"))
		if cleared {
			assert.False(t, r.Trace.HasParent())
			continue
		}
		assert.Equal(t, uint64(0x0af7651916cd43dd), r.Trace.TraceHigh)
		assert.Contains(t, r.Get("b3"), "0af7651916cd43dd8448eb211c80319c-")
	}
}
