package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
)

// outdated reports that etcd does not take a token any more that it has given out:
// its time is over, etcd was started again, or its users were changed.
func outdated(err error) bool {
	for _, o := range []error{rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision, rpctypes.ErrUserEmpty} {
		if errors.Is(err, o) {
			return true
		}
	}
	return codeOf(err) == codes.Unauthenticated
}

// refused reports that etcd does not take the user or the password.
func refused(err error) bool {
	return errors.Is(err, rpctypes.ErrAuthFailed) || errors.Is(err, rpctypes.ErrUserNotFound)
}

// silent reports that a connection that stands does not answer.
func silent(conn *grpc.ClientConn, err error) bool {
	return (errors.Is(err, context.DeadlineExceeded) || codeOf(err) == codes.DeadlineExceeded) && conn.GetState() == connectivity.Ready
}

// away reports that etcd could not be asked, so that no single service is to blame.
func away(err error) bool {
	c := codeOf(err)
	return c == codes.Unavailable || c == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errSilent)
}

// kindOf describes a trouble, without what differs from one time to the next.
func kindOf(err error) string {
	switch {
	case refused(err) || outdated(err):
		return "refuses the credentials"
	case errors.Is(err, rpctypes.ErrNoLeader):
		return "has no leader"
	case away(err):
		return "cannot be reached"
	default:
		return "does not work"
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
