package meshhttp

import (
	"context"
	"net/http"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

// Middleware makes a server's requests carry their mesh context in their
// context.Context: the deadline (which is enforced), the per-request dtab and the
// trace. Calls that a handler makes through a Transport with that context carry
// them onward, without the application doing anything else. The headers are
// removed from the request.
//
// A per-request dtab that does not parse is answered with 400 and the parser's
// message.
func Middleware(p propagation.Propagator) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel, err := p.Extract(r.Context(), carrierOf(r.Header))
			defer cancel()
			if err != nil {
				writeResponse(w, Respond(r, &weft.Error{Stage: weft.StageIdentify, Unsent: true, Err: err}, 0))
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

type spanKey struct{}

// withSpan lets the Transport below add to the server span what it finds out.
func withSpan(ctx context.Context, s *telemetry.Span) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, s)
}

func spanFrom(ctx context.Context) *telemetry.Span {
	s, _ := ctx.Value(spanKey{}).(*telemetry.Span)
	return s
}
