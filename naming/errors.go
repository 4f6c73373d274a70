package naming

import (
	"errors"
	"fmt"
)

var (
	// ErrTooDeep is in the chain of the error of a name that needs more look-ups one
	// after the other than are allowed, which nearly always means that the dtab's
	// rules lead back to where they started.
	ErrTooDeep = errors.New("naming: too many look-ups one after the other")

	// ErrTooWide is in the chain of the error of a name whose rules branch into more
	// look-ups than are allowed.
	ErrTooWide = errors.New("naming: too many look-ups for one name")

	// ErrClosed is the error of whatever is asked of something that was closed.
	ErrClosed = errors.New("naming: closed")
)

// UnansweredError says that a name is not known because whoever knows it could not be
// asked: it may be a moment later. Requests wait for that as for a name that is
// pending. A Shared makes the failures of its watches such errors.
type UnansweredError struct{ Err error }

// Error returns the text of Err.
func (e *UnansweredError) Error() string { return e.Err.Error() }

func (e *UnansweredError) Unwrap() error { return e.Err }

// AnswerError says that a name's source has answered with an error, so that there is
// nothing to wait for. A Watch reports it where that is so.
type AnswerError struct{ Err error }

// Error returns the text of Err.
func (e *AnswerError) Error() string { return e.Err.Error() }

func (e *AnswerError) Unwrap() error { return e.Err }

// foreignError is an error whose text is Linkerd's, to the letter, because
// clients see it, and that can still be told with errors.Is.
type foreignError struct {
	text string
	kind error
}

func (e *foreignError) Error() string { return e.text }
func (e *foreignError) Unwrap() error { return e.kind }

func tooDeep(limit int) error {
	return &foreignError{fmt.Sprintf("Max recursion level: %d reached in Namer lookup", limit), ErrTooDeep}
}
