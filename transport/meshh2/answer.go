package meshh2

import (
	"errors"
	"strconv"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// Header lists of peers may be bounded at 8 KiB, and one that is too long takes the
// whole answer with it.
const (
	maxErrField  = 4 << 10
	maxGRPCField = 2 << 10
)

// Answer is what a caller gets in place of a response, or of the rest of one.
type Answer struct {
	// Head is sent first, unless it is nil. It ends the stream unless there is a Body.
	Head []hpack.HeaderField
	// Body is sent after the Head and ends the stream, unless it is nil.
	Body []byte
	// Trailer ends a response that has begun, unless it is nil.
	Trailer []hpack.HeaderField
	// Reset says that the stream is reset with Code; there is nothing else then.
	Reset bool
	Code  xhttp2.ErrCode
}

// row is how one cause is answered.
type row struct {
	status string         // of a response; "": the stream is reset
	reset  xhttp2.ErrCode // also where a response has begun already
	grpc   Code           // for callers that speak gRPC; CodeOK: they are answered as others
}

// answerTo is the table: the only place where errors become statuses, resets and
// grpc-status codes. Code is that of a reset by, or because of, the endpoint.
//
//	cause                                        plain caller             gRPC caller
//	not identified                               REFUSED_STREAM           3 INVALID_ARGUMENT
//	bad dtab                                     400                      3 INVALID_ARGUMENT
//	too many hops in via                         400                      9 FAILED_PRECONDITION
//	identifier not ready yet                     503                      14 UNAVAILABLE
//	no endpoints, none healthy, a failed look-up 502                      14 UNAVAILABLE
//	no connection                                502                      14 UNAVAILABLE
//	binding timeout                              INTERNAL_ERROR           14 UNAVAILABLE
//	too many requests here, router closed        REFUSED_STREAM           REFUSED_STREAM
//	endpoint did not process it, retries at end  REFUSED_STREAM           14 UNAVAILABLE
//	reset by the endpoint                        the same code            the same code
//	endpoint broke a rule on the stream          that of the rule         CodeOf that (13, 8)
//	connection to the endpoint lost              INTERNAL_ERROR           14 UNAVAILABLE
//	timeout of attempt, request or listener,
//	deadline of the caller                       INTERNAL_ERROR           4 DEADLINE_EXCEEDED
//	cancelled                                    CANCEL                   CANCEL
//	anything else                                INTERNAL_ERROR           13 INTERNAL
//
// What gRPC libraries retry by default is UNAVAILABLE at most, and REFUSED_STREAM
// always, once; so nothing has these two that would fail again for sure, or that may
// have been done.
func answerTo(c cause, code xhttp2.ErrCode) row {
	const (
		refused  = xhttp2.ErrCodeRefusedStream
		internal = xhttp2.ErrCodeInternal
	)
	switch c {
	case causeUnidentified:
		return row{"", refused, CodeInvalidArgument}
	case causeBadDtab:
		return row{"400", internal, CodeInvalidArgument}
	case causeCallDepth:
		return row{"400", internal, CodeFailedPrecondition}
	case causeNotReady:
		return row{"503", internal, CodeUnavailable}
	case causeUnavailable:
		return row{"502", internal, CodeUnavailable}
	case causeUnbound:
		return row{"", internal, CodeUnavailable}
	case causeRejected:
		return row{"", refused, CodeOK}
	case causeUnsent:
		return row{"", refused, CodeUnavailable}
	case causeReset:
		return row{"", code, CodeOK}
	case causeViolation:
		return row{"", code, CodeOf(code)}
	case causeLost:
		return row{"", internal, CodeUnavailable}
	case causeTimeout:
		return row{"", internal, CodeDeadlineExceeded}
	case causeInterrupted:
		return row{"", xhttp2.ErrCodeCancel, CodeOK}
	case causeOther:
	}
	return row{"", internal, CodeInternal}
}

// AnswerTo returns what the caller of a request gets for an error. method is that of
// the request, grpc whether it speaks gRPC, and begun whether the head of a response
// has been sent to it.
//
// Answers carry no via and no l5d-success-class. They are made for each call and may
// be changed.
func AnswerTo(method string, grpc, begun bool, err error) Answer {
	r := answerTo(causeOf(err))
	text := textOf(err)
	switch {
	case grpc && r.grpc != CodeOK:
		fields := []hpack.HeaderField{
			{Name: nameStatus, Value: "200"},
			{Name: nameType, Value: "application/grpc"},
			{Name: nameGRPCStatus, Value: r.grpc.String()},
			{Name: nameGRPCText, Value: EncodeMessage(text, maxGRPCField)},
			{Name: nameErr, Value: meshhttp.EncodeErr(text, maxErrField)},
		}
		if begun {
			return Answer{Trailer: fields[2:]}
		}
		return Answer{Head: fields}
	case r.status == "" || begun:
		return Answer{Reset: true, Code: r.reset}
	}
	a := Answer{Head: []hpack.HeaderField{
		{Name: nameStatus, Value: r.status},
		{Name: nameErr, Value: meshhttp.EncodeErr(text, maxErrField)},
		{Name: nameType, Value: "text/plain"},
		{Name: nameLength, Value: strconv.Itoa(len(text))},
	}}
	if method != "HEAD" && text != "" {
		a.Body = []byte(text)
	}
	return a
}

// Clear makes an answer fit for outsiders, as ClearResponse does with responses.
func (a Answer) Clear() Answer {
	if a.Head != nil {
		h := Head{Fields: a.Head}
		if ClearResponse(&h) {
			a.Body = nil
		}
		a.Head = h.Fields
	}
	if a.Trailer != nil {
		h := Head{Fields: a.Trailer}
		ClearTrailer(&h)
		a.Trailer = h.Fields
	}
	return a
}

// textOf is Linkerd's text, without the stage and name in front.
func textOf(err error) string {
	if e, ok := errors.AsType[*weft.Error](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}
