package meshh2

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport"
)

// ResetCode returns the code of the reset that err is about.
func ResetCode(err error) (xhttp2.ErrCode, bool) {
	if e, ok := errors.AsType[xhttp2.StreamError](err); ok {
		return e.Code, true
	}
	return 0, false
}

// retryableError reports whether an error tells that the endpoint or the way to it
// failed, rather than the request: a timeout, a write that failed or a connection
// that was lost. A reset is none of these: the endpoint has said something about
// the request.
//
// What the naming says would be the same again at once, so it is none either.
func retryableError(err error) bool {
	if e, ok := errors.AsType[*weft.Error](err); ok && (e.Stage == weft.StageIdentify || e.Stage == weft.StageBind) {
		return false
	}
	if weft.IsUnsent(err) || errors.Is(err, transport.ErrTimeout) {
		return true
	}
	if _, ok := ResetCode(err); ok {
		return false
	}
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout() ||
		errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
