package dtabcmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

// The exit statuses.
const (
	exitDifferent = 1 // what diff and --exit-code say
	exitUsage     = 1
	exitMissing   = 2
	exitConflict  = 3
	exitTransport = 4
	exitAuth      = 5
)

// ExitError is why a command failed and the status that the process should exit
// with.
type ExitError struct {
	Code int
	Err  error // nil if everything has been said
}

// Error returns the text of Err.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode returns the status that the process should exit with.
func (e *ExitError) ExitCode() int { return e.Code }

// Reported says that everything has been said.
func (e *ExitError) Reported() bool { return e.Err == nil }

func usagef(format string, args ...any) error {
	return &ExitError{Code: exitUsage, Err: fmt.Errorf(format, args...)}
}

// exit gives err the status that it stands for, and namerctl's words to answers that
// say no.
func exit(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*ExitError](err); ok {
		return err
	}
	return &ExitError{Code: statusOf(err), Err: inWords(err)}
}

func statusOf(err error) int {
	if errors.Is(err, namerd.ErrForbidden) {
		return exitAuth // some of these have the status 500
	}
	if refused, ok := errors.AsType[*client.StatusError](err); ok && refused.Code >= http.StatusInternalServerError {
		return exitTransport
	}
	if _, ok := errors.AsType[*client.TransportError](err); ok {
		return exitTransport
	}
	switch {
	case errors.Is(err, namerd.ErrMissing):
		return exitMissing
	case errors.Is(err, namerd.ErrExists), errors.Is(err, namerd.ErrMismatch):
		return exitConflict
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitTransport
	default:
		return exitUsage
	}
}

// inWords returns err in namerctl's words if it is an answer of namerd.
func inWords(err error) error {
	if errors.Is(err, client.ErrNoHistory) {
		return fmt.Errorf("%w: it is not weft's, or knows no such request", client.ErrNoHistory)
	}
	refused, ok := err.(*client.StatusError) //nolint:errorlint // one in a context of its own has its words
	if !ok {
		return err
	}
	if refused.Code == http.StatusNotFound && refused.Method != http.MethodPost {
		return &saidError{"resource was not found by ID or name", refused}
	}
	text := "unexpected response: " + refused.Status
	if refused.Message != "" {
		text += ": " + refused.Message
	}
	return &saidError{text, refused}
}

// saidError is an error in other words.
type saidError struct {
	text string
	err  error
}

// Error returns the words.
func (s *saidError) Error() string { return s.text }

// Unwrap returns the error.
func (s *saidError) Unwrap() error { return s.err }
