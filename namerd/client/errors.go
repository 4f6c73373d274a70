package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/namerd"
)

// ErrNoHistory says that the namerd keeps no history, as namerd 1.7.5 does not.
var ErrNoHistory = errors.New("this namerd has no history")

// StatusError is an answer that says no. It wraps the error of package namerd that
// its status stands for: ErrInvalid for 400, ErrForbidden for 401 and 403,
// ErrMissing for 404, ErrExists for 409, ErrMismatch for 412, ErrTooLarge for 413.
type StatusError struct {
	Method string
	URL    string
	Code   int
	Status string // such as 412 Precondition Failed

	// Message is the beginning of the body, usually why.
	Message string
}

// Error returns the request, the status and the message.
func (e *StatusError) Error() string {
	text := e.Method + " " + e.URL + ": " + e.Status
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the error that the status stands for, or nil.
func (e *StatusError) Unwrap() error {
	switch e.Code {
	case http.StatusBadRequest:
		return namerd.ErrInvalid
	case http.StatusUnauthorized, http.StatusForbidden:
		return namerd.ErrForbidden
	case http.StatusNotFound:
		return namerd.ErrMissing
	case http.StatusConflict:
		return namerd.ErrExists
	case http.StatusPreconditionFailed:
		return namerd.ErrMismatch
	case http.StatusRequestEntityTooLarge:
		return namerd.ErrTooLarge
	default:
		if strings.HasPrefix(e.Message, forbidden) {
			return namerd.ErrForbidden // some writes that the store does not permit are a 500
		}
		return nil
	}
}

// forbidden is what namerd says of what its store does not permit.
const forbidden = "You do not have sufficient permissions"

// TransportError says that there was no answer, or no whole one.
type TransportError struct {
	Method string
	URL    string

	// Sent says that the request, or a part of it, was sent: a write may have been
	// made.
	Sent bool
	Err  error
}

// Error returns the request and what went wrong.
func (e *TransportError) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Method, e.URL, e.Err)
	if e.Sent && e.Method != http.MethodGet {
		text += " (it may have been done)"
	}
	return text
}

// Unwrap returns what went wrong.
func (e *TransportError) Unwrap() error { return e.Err }
