package meshgrpc

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errNoAnswer replaces the io.EOF with which grpc-go ends a stream that was reset
// while its transparent retry was sending it again: it is no success.
var errNoAnswer = status.Error(codes.Unavailable, "the stream was reset before the response")

// unprocessed reports whether the status is what grpc-go gives a stream that the
// server refused (RST_STREAM with REFUSED_STREAM) or that came after the last one
// of its GOAWAY. grpc-go keeps that knowledge to itself but for these texts. Without a match the call
// counts as possibly processed, so a change of the texts costs requeues, not
// correctness.
func unprocessed(s *status.Status) bool {
	if s.Code() != codes.Unavailable {
		return false
	}
	switch s.Message() {
	case "stream terminated by RST_STREAM with error code: REFUSED_STREAM",
		"the stream is rejected because server is draining the connection",
		"the connection is draining":
		return true
	default:
		return false
	}
}

// dialFailed reports whether the message is that of a failure to connect. It
// matters after grpc-go's transparent retry alone, where the peer of the stream
// before it is still known.
func dialFailed(message string) bool {
	return strings.HasPrefix(message, `connection error: desc = "transport: Error while dialing`) ||
		strings.HasPrefix(message, `connection error: desc = "transport: authentication handshake failed`)
}
