package meshapi

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// What is wrong with a request, in the original's words.
var (
	errNoRoot       = status.Error(codes.InvalidArgument, "No namespace specified")
	errRootNotFound = status.Error(codes.NotFound, "Root not found")
	errNoName       = status.Error(codes.NotFound, "No name given")
)

// namespace reads the root of a request.
func namespace(root *meshpb.Path) (string, error) {
	if root == nil {
		return "", errNoRoot
	}
	if elems := root.GetElems(); len(elems) == 1 && len(elems[0]) > 0 {
		return string(elems[0]), nil
	}
	shown := "/"
	if p, err := root.Value(); err == nil {
		shown = p.String()
	}
	return "", status.Errorf(codes.InvalidArgument, "Invalid root: `%s` must have exactly one segment", shown)
}

// rules reads the dtab of a request.
func rules(x *meshpb.Dtab) (dtab.Dtab, error) {
	d, err := x.Value()
	if err != nil {
		return nil, invalid("dtab", err)
	}
	return d, nil
}

// invalid is the status of a request with something that cannot be understood.
func invalid(what string, err error) error {
	return status.Errorf(codes.InvalidArgument, "Invalid %s: %s", what, valid(err))
}

// unreadable is the status of a text that cannot be parsed, for which there are
// the parser's words only.
func unreadable(err error) error { return status.Error(codes.InvalidArgument, valid(err)) }

// failed is the status of what could not be found out. Unavailable is for what may
// be different a moment later, which the client asks again soon.
func failed(err error) error {
	code := codes.Internal
	if _, unanswered := errors.AsType[*naming.UnansweredError](err); unanswered && !final(err) {
		code = codes.Unavailable
	}
	return status.Error(code, valid(err))
}

// final reports whether err is an answer, whatever the watches that it came through
// have made of it.
func final(err error) bool {
	_, answer := errors.AsType[*naming.AnswerError](err)
	return answer || errors.Is(err, naming.ErrTooDeep) || errors.Is(err, naming.ErrTooWide)
}

// over is the status of a call whose context has ended.
func over(ctx context.Context) error {
	cause := context.Cause(ctx)
	if _, ok := status.FromError(cause); ok {
		return cause
	}
	return status.FromContextError(cause).Err()
}

// valid is the text of err, which is a string in messages and so must be UTF-8.
func valid(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }
