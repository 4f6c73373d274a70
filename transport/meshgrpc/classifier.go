package meshgrpc

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
)

// Classifier judges how a call ended. err is nil or has a gRPC status, be it the
// endpoint's answer or what grpc-go makes of a connection that was lost, a
// stream that was reset or an HTTP status without a grpc-status. It is called
// concurrently, once per attempt.
//
// Whether something may be sent again because nothing of it was processed is not
// the classifier's question: that is known, and holds for every method.
type Classifier interface {
	Classify(fullMethod string, err error) weft.Class
}

// SuccessStatusCodes are the codes that count as success. Nil is OK alone; a list
// that leaves OK out makes it a failure.
type SuccessStatusCodes []codes.Code

// has reports whether c is one of the codes.
func (s SuccessStatusCodes) has(c codes.Code) bool {
	if s == nil {
		return c == codes.OK
	}
	return slices.Contains(s, c)
}

// class is Success, Retryable or Failure. The test for success comes first.
func (s SuccessStatusCodes) class(err error, retryable func(codes.Code) bool) weft.Class {
	c := status.Code(err)
	switch {
	case s.has(c):
		return weft.Success
	case retryable(c):
		return weft.Retryable
	default:
		return weft.Failure
	}
}

// Default retries UNAVAILABLE (kind io.l5d.h2.grpc.default). Unlike in Linkerd
// that includes what grpc-go reports as UNAVAILABLE without the endpoint having
// said so, such as a lost connection.
type Default struct {
	Success SuccessStatusCodes
}

// Classify implements Classifier.
func (d Default) Classify(_ string, err error) weft.Class {
	return d.Success.class(err, unavailable)
}

// Compliant retries UNAVAILABLE, the HTTP statuses 429, 502, 503 and 504, and
// REFUSED_STREAM (kind io.l5d.h2.grpc.compliant, as documented). A gRPC client
// library maps all of these to UNAVAILABLE, and those that must not be retried
// (401, 403, 500, ENHANCE_YOUR_CALM) to other codes, so that inside a process it
// judges as Default does.
type Compliant struct {
	Success SuccessStatusCodes
}

// Classify implements Classifier.
func (c Compliant) Classify(_ string, err error) weft.Class {
	return c.Success.class(err, unavailable)
}

func unavailable(c codes.Code) bool { return c == codes.Unavailable }

// AlwaysRetryable retries everything that is no success (kind
// io.l5d.h2.grpc.alwaysRetryable).
type AlwaysRetryable struct {
	Success SuccessStatusCodes
}

// Classify implements Classifier.
func (a AlwaysRetryable) Classify(_ string, err error) weft.Class {
	return a.Success.class(err, func(codes.Code) bool { return true })
}

// NeverRetryable retries nothing (kind io.l5d.h2.grpc.neverRetryable).
type NeverRetryable struct {
	Success SuccessStatusCodes
}

// Classify implements Classifier.
func (n NeverRetryable) Classify(_ string, err error) weft.Class {
	return n.Success.class(err, func(codes.Code) bool { return false })
}

// RetryableStatusCodes retries the codes it lists (kind
// io.l5d.h2.grpc.retryableStatusCodes).
type RetryableStatusCodes struct {
	Codes   []codes.Code
	Success SuccessStatusCodes
}

// Classify implements Classifier.
func (r RetryableStatusCodes) Classify(_ string, err error) weft.Class {
	return r.Success.class(err, func(c codes.Code) bool { return slices.Contains(r.Codes, c) })
}
