package telemetry

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/weft-mesh/weft"
)

// Names of failures: those of the exceptions that dashboards and alerts made for
// Linkerd look for.
const (
	// FailureResponse is a response that was classified as a failure, such as a 500.
	FailureResponse = "com.twitter.finagle.service.ResponseClassificationSyntheticException"

	FailureUnidentified   = "io.buoyant.router.RoutingFactory$UnknownDst"
	FailureNoBrokers      = "com.twitter.finagle.NoBrokersAvailableException"
	FailureConnection     = "com.twitter.finagle.ConnectionFailedException"
	FailureConnectTimeout = "io.netty.channel.ConnectTimeoutException"
	FailureRefused        = "java.net.ConnectException"
	FailureUnknownHost    = "java.net.UnknownHostException"
	FailureWrite          = "com.twitter.finagle.ChannelWriteException"
	FailureClosed         = "com.twitter.finagle.ChannelClosedException"
	FailureChannel        = "com.twitter.finagle.UnknownChannelException"
	FailureAttemptTimeout = "com.twitter.finagle.IndividualRequestTimeoutException"
	FailureTotalTimeout   = "com.twitter.finagle.GlobalRequestTimeoutException"
	FailureCancelled      = "com.twitter.finagle.CancelledRequestException"
	FailureFastFail       = "com.twitter.finagle.FailedFastException"
	FailureUnknown        = "com.twitter.finagle.Failure"

	// FailureRejected is the flag in front of the name of what was refused unprocessed.
	FailureRejected = "rejected"
)

// FailureNames returns the chain of names under which err counts, outermost
// first. It goes by the stage of a *weft.Error and by what the standard library
// tells about the cause; nil is a response that was classified as a failure.
func FailureNames(err error) []string {
	if err == nil {
		return []string{FailureResponse}
	}
	var (
		e     *weft.Error
		stage weft.Stage
	)
	if errors.As(err, &e) {
		stage = e.Stage
	}
	if errors.Is(err, context.Canceled) {
		return []string{FailureCancelled}
	}
	switch stage {
	case weft.StageIdentify:
		return []string{FailureUnidentified}
	case weft.StageBind, weft.StagePick:
		return []string{FailureNoBrokers}
	case weft.StageConnect:
		return connectionNames(err)
	case weft.StageDeadline:
		return []string{FailureTotalTimeout}
	default:
		return exchangeNames(stage, err)
	}
}

// exchangeNames is for what happens once there is a connection.
func exchangeNames(stage weft.Stage, err error) []string {
	switch {
	case isTimeout(err):
		return []string{FailureAttemptTimeout}
	case stage == weft.StageSend:
		return []string{FailureWrite}
	case isClosed(err):
		return []string{FailureClosed}
	case stage == weft.StageReceive:
		return []string{FailureChannel}
	default:
		return []string{FailureUnknown}
	}
}

func connectionNames(err error) []string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return []string{FailureConnection, FailureUnknownHost}
	case isTimeout(err):
		return []string{FailureConnection, FailureConnectTimeout}
	case errors.Is(err, syscall.ECONNREFUSED):
		return []string{FailureConnection, FailureRefused}
	default:
		return []string{FailureConnection}
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
