package meshh2

import (
	"slices"
	"strconv"

	xhttp2 "golang.org/x/net/http2"
)

// Code is the value of a grpc-status field.
type Code uint32

// The codes that have a meaning here.
const (
	CodeOK                 Code = 0
	CodeCancelled          Code = 1
	CodeUnknown            Code = 2
	CodeInvalidArgument    Code = 3
	CodeDeadlineExceeded   Code = 4
	CodeResourceExhausted  Code = 8
	CodeFailedPrecondition Code = 9
	CodeInternal           Code = 13
	CodeUnavailable        Code = 14
)

// ParseCode reads the value of a grpc-status field.
func ParseCode(s string) (Code, bool) {
	if len(s) == 1 && '0' <= s[0] && s[0] <= '9' {
		return Code(s[0] - '0'), true
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, false
	}
	return Code(n), true
}

// String returns the number, as it is sent.
func (c Code) String() string { return strconv.FormatUint(uint64(c), 10) }

// CodeOf returns the code that a gRPC library makes of a reset, by Linkerd's table
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors has the same
// except for STREAM_CLOSED).
func CodeOf(reset xhttp2.ErrCode) Code {
	switch reset {
	case xhttp2.ErrCodeRefusedStream:
		return CodeUnavailable
	case xhttp2.ErrCodeEnhanceYourCalm:
		return CodeResourceExhausted
	case xhttp2.ErrCodeCancel:
		return CodeCancelled
	case xhttp2.ErrCodeStreamClosed:
		return CodeUnknown
	default:
		return CodeInternal
	}
}

// Reset returns the reset that stands for a code where no trailers can be sent.
func (c Code) Reset() xhttp2.ErrCode {
	switch c {
	case CodeInternal:
		return xhttp2.ErrCodeInternal
	case CodeUnavailable:
		return xhttp2.ErrCodeRefusedStream
	case CodeResourceExhausted:
		return xhttp2.ErrCodeEnhanceYourCalm
	default:
		return xhttp2.ErrCodeCancel
	}
}

// among reports whether c is one of the codes.
func (c Code) among(codes []Code) bool { return slices.Contains(codes, c) }
