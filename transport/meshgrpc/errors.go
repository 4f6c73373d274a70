package meshgrpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// Status returns the gRPC status of an error of the mesh:
//
//	INVALID_ARGUMENT   no name in the call, a dtab that does not parse
//	CANCELLED          the caller cancelled, the mesh is closed
//	DEADLINE_EXCEEDED  the caller's deadline, a timeout of the mesh
//	its own            a status that came from the endpoint or from grpc-go
//	UNAVAILABLE        everything else between the name and the endpoint: no
//	                   endpoints, a binding that failed or took too long, none
//	                   healthy, no connection, a connection that was lost
//	UNKNOWN            an error that is not of the mesh
//
// The message is that of Linkerd where it has one.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	return status.New(code(err), text(err))
}

func code(err error) codes.Code {
	var stage weft.Stage
	if e, ok := errors.AsType[*weft.Error](err); ok {
		stage = e.Stage
	}
	syntax, badDtab := errors.AsType[*dtab.SyntaxError](err)
	switch {
	case stage == weft.StageIdentify, badDtab && syntax != nil && stage == 0:
		return codes.InvalidArgument
	case errors.Is(err, transport.ErrClosed):
		return codes.Canceled
	case errors.Is(err, transport.ErrTimeout), errors.Is(err, transport.ErrTooLate):
		return codes.DeadlineExceeded
	case stage == weft.StageConnect: // before the context: a dial has a deadline of its own
		return codes.Unavailable
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	if stage == 0 {
		return codes.Unknown
	}
	return codes.Unavailable
}

// text leaves out the stage where the cause says everything itself.
func text(err error) string {
	if e, ok := errors.AsType[*transport.NoHostsError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*transport.BindingTimeoutError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*transport.TimeoutError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*transport.ConnectError](err); ok {
		return e.Error()
	}
	return err.Error()
}

// ctxError says why ctx ended: its error, and below that the cause if somebody gave
// one.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == err { //nolint:errorlint // the very same error, not one like it
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// callError is an error of the mesh as callers of stubs expect it: it has a
// status, and below it what happened, for errors.Is and errors.As.
type callError struct {
	status *status.Status
	err    error
}

func (e *callError) Error() string { return e.status.Err().Error() }

// GRPCStatus makes status.FromError and status.Code work.
func (e *callError) GRPCStatus() *status.Status { return e.status }

func (e *callError) Unwrap() error { return e.err }

// toCaller gives err a status, unless it has one.
func toCaller(err error) error {
	if err == nil {
		return nil
	}
	return &callError{status: Status(err), err: err}
}
