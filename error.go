package weft

import (
	"errors"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
)

// ErrNeverChanges is returned by Until when the awaited value cannot come any
// more.
var ErrNeverChanges = errors.New("weft: the value never changes")

// Stage is the step of the request path in which an error arose, in the order in
// which a request passes them.
type Stage uint8

// The stages of a request.
const (
	StageIdentify Stage = iota + 1 // finding the logical name in the request
	StageBind                      // turning the name into endpoint sets
	StagePick                      // choosing a branch and an endpoint
	StageConnect                   // obtaining a connection to the endpoint
	StageSend                      // sending the request
	StageReceive                   // waiting for and reading the response
	StageDeadline                  // a timeout or deadline of the whole request
)

// String returns the stage's name in lower case.
func (s Stage) String() string {
	names := [...]string{"unknown stage", "identify", "bind", "pick", "connect", "send", "receive", "deadline"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

// Error is the error of a request inside the mesh. Adapters map it to what their
// protocol says (an HTTP status, a gRPC code) in one table each.
type Error struct {
	// Stage is where it happened.
	Stage Stage

	// Dst is the name it happened to: the logical name before binding, the bound
	// id after it.
	Dst dtab.Path

	// Unsent reports that nothing of the request can have been processed by the
	// endpoint, so that a request of any method may be sent again.
	Unsent bool

	// Err is the cause. It is never nil.
	Err error
}

// Error returns "stage /name: cause".
func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Stage, e.Dst, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsUnsent reports whether err says that nothing reached the endpoint.
func IsUnsent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unsent
}
