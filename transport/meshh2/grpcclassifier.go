package meshh2

import (
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft"
)

// GRPCKind is which gRPC outcomes may be retried.
type GRPCKind uint8

// The kinds of gRPC classifiers.
const (
	// GRPCDefault retries UNAVAILABLE (io.l5d.h2.grpc.default).
	GRPCDefault GRPCKind = iota
	// GRPCCompliant retries UNAVAILABLE, the statuses 429, 502, 503 and 504 without a
	// grpc-status, and REFUSED_STREAM (io.l5d.h2.grpc.compliant). Linkerd 1.7.5
	// documents it so and builds GRPCDefault instead.
	GRPCCompliant
	// GRPCAlways retries every grpc-status that is no success
	// (io.l5d.h2.grpc.alwaysRetryable).
	GRPCAlways
	// GRPCNever retries nothing (io.l5d.h2.grpc.neverRetryable).
	GRPCNever
	// GRPCListed retries the Codes of the classifier
	// (io.l5d.h2.grpc.retryableStatusCodes).
	GRPCListed
)

// GRPC classifies by grpc-status. The zero GRPC is io.l5d.h2.grpc.default. Its
// slices must not change.
//
// A response that ends without a grpc-status is a failure, whatever its HTTP status.
type GRPC struct {
	Kind GRPCKind
	// Success are the codes that count as success, before anything else is asked. Nil
	// is OK alone; a list that leaves OK out makes it a failure.
	Success []Code
	// Codes are what GRPCListed retries.
	Codes []Code
}

// CanRetry implements Classifier. The method says nothing: gRPC has one only.
func (g GRPC) CanRetry(string) bool {
	return g.Kind != GRPCNever && (g.Kind != GRPCListed || len(g.Codes) > 0)
}

// Early implements Classifier.
func (g GRPC) Early(_ string, resp *Head, err error) (weft.Class, bool) {
	if err != nil {
		return g.reset(err), true
	}
	if s, ok := resp.Lookup(nameGRPCStatus); ok { // a response of trailers only
		c, ok := ParseCode(s)
		if !ok {
			c = CodeUnknown
		}
		return g.code(c), true
	}
	return g.http(resp)
}

// Late implements Classifier.
func (g GRPC) Late(_ string, resp, trailer *Head, err error) weft.Class {
	if err != nil {
		return g.reset(err)
	}
	if trailer != nil {
		if s, ok := trailer.Lookup(nameGRPCStatus); ok {
			if c, ok := ParseCode(s); ok {
				return g.code(c)
			}
		}
	}
	if c, ok := g.http(resp); ok {
		return c
	}
	return weft.Failure
}

func (g GRPC) code(c Code) weft.Class {
	success := c == CodeOK
	if g.Success != nil {
		success = c.among(g.Success)
	}
	retry := false
	switch g.Kind {
	case GRPCDefault, GRPCCompliant:
		retry = c == CodeUnavailable
	case GRPCAlways:
		retry = true
	case GRPCNever:
	case GRPCListed:
		retry = c.among(g.Codes)
	}
	switch {
	case success:
		return weft.Success
	case retry:
		return weft.Retryable
	default:
		return weft.Failure
	}
}

// reset classifies an error in place of the response, or of its end.
func (g GRPC) reset(err error) weft.Class {
	if g.Kind != GRPCCompliant {
		return weft.Failure
	}
	if code, ok := ResetCode(err); ok && code == xhttp2.ErrCodeRefusedStream {
		return weft.Retryable
	}
	return weft.Failure
}

// http classifies by the HTTP status, if that is one of a failure.
func (g GRPC) http(resp *Head) (weft.Class, bool) {
	switch resp.statusClass() {
	case '4', '5':
	default:
		return 0, false
	}
	if g.Kind == GRPCCompliant {
		switch resp.Get(nameStatus) {
		case "429", "502", "503", "504":
			return weft.Retryable, true
		}
	}
	return weft.Failure, true
}
