package meshhttp

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// Middleware makes a server's requests carry their mesh context in their
// context.Context: the deadline (which is enforced), the per-request dtab, the trace
// and whatever else the l5d-ctx-* headers have. Calls that a handler makes through a Transport with that context carry
// them onward, without the application doing anything else; those of a request
// that came without a trace share a new one. The headers of the first three are
// removed from the request.
//
// A per-request dtab that does not parse is answered with 400 and the parser's
// message.
func Middleware(p propagation.Propagator) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel, err := p.Extract(r.Context(), carrier(r.Header))
			defer cancel()
			if err != nil {
				resp := Respond(r, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}, 0) //nolint:bodyclose // it is in memory
				_ = writeResponse(w, r, resp, nil)                                                    // the caller is gone if that fails
				return
			}
			if _, ok := telemetry.TraceFrom(ctx); !ok {
				ctx = telemetry.WithTrace(ctx, telemetry.NewTrace())
			}
			next.ServeHTTP(w, r.WithContext(propagation.CarryOn(ctx, r.Header)))
		})
	}
}

// carryOn adds the l5d-ctx-* headers that ctx carries on to those of a call, but for
// those that the caller has set.
func carryOn(ctx context.Context, h http.Header) {
	last := ""
	for key, value := range propagation.Carried(ctx) {
		key = http.CanonicalHeaderKey(key)
		if _, given := h[key]; given && key != last {
			continue
		}
		h[key] = append(h[key], value)
		last = key
	}
}
