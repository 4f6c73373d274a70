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
	"github.com/weft-mesh/weft/transport/http2"
)

// ResetCode returns the code of the reset that err is about.
func ResetCode(err error) (xhttp2.ErrCode, bool) {
	if e, ok := errors.AsType[*http2.ResetError](err); ok {
		return e.Code, true
	}
	return 0, false
}

// Unprocessed reports whether err says that the peer did nothing with the request,
// so that one of any method may be sent again, if what was sent of it is still
// there.
func Unprocessed(err error) bool {
	if e, ok := errors.AsType[*http2.ResetError](err); ok {
		return e.Remote && e.Code == xhttp2.ErrCodeRefusedStream
	}
	if e, ok := errors.AsType[*http2.ConnError](err); ok {
		return e.Unprocessed
	}
	return weft.IsUnsent(err) || nothingSent(err)
}

// nothingSent reports whether err is one of those with which a connection refuses
// to open a stream.
func nothingSent(err error) bool {
	return errors.Is(err, http2.ErrStreamLimit) || errors.Is(err, http2.ErrDraining) || errors.Is(err, http2.ErrClosed)
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
	if weft.IsUnsent(err) || errors.Is(err, transport.ErrTimeout) || nothingSent(err) {
		return true
	}
	if _, ok := ResetCode(err); ok {
		return false
	}
	if _, ok := errors.AsType[*http2.ConnError](err); ok {
		return true
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
