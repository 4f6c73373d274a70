package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/namerd"
)

// exchange is one request and its answer.
type exchange struct {
	h   *Handler
	r   *http.Request
	out *outlet

	// ctx ends when the client goes away or the Handler is closed.
	ctx context.Context
}

// The headers that namerd 1.7.5 does not have.
const (
	headerError  = "weft-error"
	headerStale  = "weft-stale"
	headerAuthor = "weft-author"
	headerReason = "weft-reason"
)

// The content types of answers. Of those to bind and addr there is none.
const (
	typeNone = ""
	typeText = "text/plain; charset=utf-8"
	typeJSON = "application/json"
)

// reply answers with 200 and a body.
func (x *exchange) reply(contentType, body string) {
	x.contentType(contentType)
	x.out.answer(http.StatusOK, body)
}

func (x *exchange) contentType(s string) {
	if s == typeNone {
		x.out.Header()["Content-Type"] = nil // keeps the server from guessing one
		return
	}
	x.out.Header().Set("Content-Type", s)
}

// fail answers with an error and a message.
func (x *exchange) fail(status int, message string) {
	x.out.Header().Set(headerError, headerValue(message))
	x.contentType(typeText)
	x.out.answer(status, message)
}

// failBare answers with an error whose body is empty in namerd 1.7.5.
func (x *exchange) failBare(status int, message string) {
	x.out.Header().Set(headerError, headerValue(message))
	x.out.answer(status, "")
}

// ended answers what cannot be answered because ctx has ended. It matters to a
// client that is still there, if the Handler is being closed.
func (x *exchange) ended() {
	x.fail(http.StatusServiceUnavailable, context.Cause(x.ctx).Error())
}

// stale notes why what is served may be out of date.
func (x *exchange) stale(err error) {
	if err != nil {
		x.out.Header().Set(headerStale, headerValue(err.Error()))
	}
}

// maxHeaderValue is how many bytes of a message are put in a header.
const maxHeaderValue = 1 << 10

// headerValue returns a message as the value of a header.
func headerValue(message string) string {
	if len(message) > maxHeaderValue {
		message = message[:maxHeaderValue-3] + "..."
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, "\uFFFD")))
}

// isAnswer reports whether err is what a store says, and not that it could not be
// asked.
func isAnswer(err error) bool {
	for _, known := range []error{
		namerd.ErrExists, namerd.ErrMissing, namerd.ErrMismatch, namerd.ErrInvalid, namerd.ErrForbidden, namerd.ErrTooLarge,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
