package etcd

import (
	"context"
	"errors"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/namerd"
)

var (
	errSilent = errors.New("the watch has gone silent")
	errAway   = errors.New("no member can be reached")
	errAgain  = errors.New("to be listed again")
)

// outdated reports that etcd does not take a token any more that it has given out: its
// time is over, etcd was started again, or its users were changed.
func outdated(err error) bool {
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrAuthOldRevision) || codeOf(err) == codes.Unauthenticated
}

// refused reports that etcd does not take the user or the password, or wants one.
func refused(err error) bool {
	return errors.Is(err, rpctypes.ErrAuthFailed) || errors.Is(err, rpctypes.ErrUserNotFound) || errors.Is(err, rpctypes.ErrUserEmpty)
}

// timedOut reports that there was no answer in time.
func timedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || codeOf(err) == codes.DeadlineExceeded
}

// reasonOf returns the error of package namerd for what etcd has refused, or nil.
func reasonOf(err error) error {
	switch {
	case refused(err), errors.Is(err, rpctypes.ErrPermissionDenied):
		return namerd.ErrForbidden
	case errors.Is(err, rpctypes.ErrRequestTooLarge), codeOf(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max"):
		return namerd.ErrTooLarge
	}
	return nil
}

// final reports that etcd has refused a request, which had no effect and would be
// refused again.
func final(err error) bool {
	if outdated(err) {
		return false
	}
	if reasonOf(err) != nil || errors.Is(err, rpctypes.ErrNoSpace) {
		return true
	}
	c := codeOf(err)
	return c == codes.InvalidArgument || c == codes.PermissionDenied || c == codes.Unimplemented
}

// kindOf describes a trouble, without what differs from one time to the next.
func kindOf(err error) string {
	switch {
	case refused(err) || outdated(err):
		return "refuses the credentials"
	case reasonOf(err) != nil:
		return "refuses to be watched"
	case errors.Is(err, rpctypes.ErrNoLeader):
		return "has no leader"
	default:
		return "cannot be reached"
	}
}

// codeOf returns the gRPC code of an error of the client, which has several types.
func codeOf(err error) codes.Code {
	if e, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		return e.Code()
	}
	var s interface{ GRPCStatus() *status.Status }
	if errors.As(err, &s) {
		return s.GRPCStatus().Code()
	}
	return codes.Unknown
}
