package meshh2

import (
	"context"
	"errors"

	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// ErrOverloaded says that a listener has as many requests under way as it may. The
// request was not processed.
var ErrOverloaded = errors.New("meshh2: too many requests at once")

// cause is why there is no response of an endpoint, as far as the caller's answer
// depends on it.
type cause uint8

const (
	causeOther cause = iota
	causeUnidentified
	causeBadDtab
	causeCallDepth
	causeNotReady    // the identifier has not got what it names requests by
	causeUnavailable // nothing answers to the name: no endpoints, none healthy, no connection
	causeUnbound     // the name was not bound in time
	causeRejected    // not processed by this proxy
	causeUnsent      // not processed by the endpoint, and out of retries
	causeReset       // by the endpoint
	causeViolation   // the endpoint broke a rule on this stream
	causeLost        // the connection to the endpoint
	causeTimeout
	causeInterrupted
)

// causeOf returns the cause, and the code of the reset if there was one.
func causeOf(err error) (cause, xhttp2.ErrCode) {
	var stage weft.Stage
	if e, ok := errors.AsType[*weft.Error](err); ok {
		stage = e.Stage
	}
	if e, ok := errors.AsType[*http2.ResetError](err); ok {
		if e.Remote {
			return causeReset, e.Code
		}
		return causeViolation, e.Code
	}
	return causeOfStage(err, stage), 0
}

func causeOfStage(err error, stage weft.Stage) cause {
	switch {
	case is[*CallDepthError](err):
		return causeCallDepth
	case is[*meshhttp.NotReadyError](err):
		return causeNotReady
	case is[*meshhttp.Unidentified](err):
		return causeUnidentified
	case is[*dtab.SyntaxError](err) && (stage == weft.StageIdentify || stage == 0):
		return causeBadDtab
	case stage == weft.StageIdentify:
		return causeUnidentified
	case errors.Is(err, ErrOverloaded), errors.Is(err, transport.ErrClosed):
		return causeRejected
	case is[*transport.BindingTimeoutError](err):
		return causeUnbound
	case errors.Is(err, transport.ErrTimeout), errors.Is(err, transport.ErrTooLate):
		return causeTimeout
	case stage == weft.StageConnect: // before the context: a dial has a deadline of its own
		return causeUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return causeTimeout
	case errors.Is(err, context.Canceled):
		return causeInterrupted
	case stage == weft.StageBind, stage == weft.StagePick:
		return causeUnavailable
	case Unprocessed(err):
		return causeUnsent
	case is[*http2.ConnError](err), stage == weft.StageSend, stage == weft.StageReceive:
		return causeLost
	case stage == weft.StageDeadline:
		return causeTimeout
	default:
		return causeOther
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
