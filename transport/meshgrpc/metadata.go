package meshgrpc

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/weft-mesh/weft/propagation"
)

// The metadata that a client adds about where a call goes, and what belongs together of
// the metadata of W3C Trace Context.
const (
	keyDstService  = "l5d-dst-service"
	keyDstClient   = "l5d-dst-client"
	keyDstResidual = "l5d-dst-residual"
	keyTraceParent = "traceparent"
	keyTraceState  = "tracestate"
)

const prefixL5d = "l5d-"

// incoming is the metadata of a served call as a propagation.Carrier.
type incoming metadata.MD

func (in incoming) Values(key string) []string { return in[propagation.LowerName(key)] }
func (in incoming) Set(key, value string)      { in[propagation.LowerName(key)] = []string{value} }
func (in incoming) Del(key string)             { delete(in, propagation.LowerName(key)) }

// outgoing is the metadata of a call to be made as a propagation.Carrier. What the
// caller gave stays in a map, which most calls do not have; what the mesh adds is
// a list, which is cheaper to make.
type outgoing struct {
	given metadata.MD
	added []string // key, value, key, value, …
}

// newOutgoing takes the outgoing metadata of ctx, or given, which is a copy of it.
func newOutgoing(ctx context.Context, given metadata.MD) *outgoing {
	out := &outgoing{added: make([]string, 0, 14), given: given}
	if given != nil {
		return out
	}
	if md, ok := metadata.FromOutgoingContext(ctx); ok {
		out.given = md
	}
	return out
}

// Values implements propagation.Carrier for what the caller gave.
func (out *outgoing) Values(key string) []string { return out.given[propagation.LowerName(key)] }

// Set implements propagation.Carrier. It is called once for each key.
func (out *outgoing) Set(key, value string) {
	key = propagation.LowerName(key)
	delete(out.given, key)
	out.added = append(out.added, key, value)
}

// Del implements propagation.Carrier for what the caller gave.
func (out *outgoing) Del(key string) { delete(out.given, propagation.LowerName(key)) }

// carry adds the application's own l5d-ctx-* metadata that ctx carries on.
func (out *outgoing) carry(ctx context.Context) {
	for key, value := range propagation.Carried(ctx) {
		key = strings.ToLower(key) // it may have come over HTTP/1
		if key == keyTraceState && len(out.given[keyTraceParent]) > 0 {
			continue // the caller has a trace context of its own
		}
		if _, given := out.given[key]; !given {
			out.added = append(out.added, key, value)
		}
	}
}

// attach returns ctx with the metadata.
func (out *outgoing) attach(ctx context.Context) context.Context {
	if out.given != nil {
		ctx = metadata.NewOutgoingContext(ctx, out.given)
	}
	return metadata.AppendToOutgoingContext(ctx, out.added...)
}
