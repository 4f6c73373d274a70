package meshhttp

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport"
)

// Classifier decides how an outcome counts. resp is nil when err is set. Classify
// is called concurrently, for every attempt, and must not change the request or
// the response, nor read the body.
//
// ok is false where the classifier has no opinion; then a 5xx is a failure, any
// other response a success, and an error a failure.
type Classifier interface {
	Classify(req *http.Request, resp *http.Response, err error) (c weft.Class, ok bool)
}

// NonRetryable5XX counts 5xx as failures and retries none. It is the kind
// io.l5d.http.nonRetryable5XX, the default.
type NonRetryable5XX struct{}

// Classify implements Classifier.
func (NonRetryable5XX) Classify(*http.Request, *http.Response, error) (weft.Class, bool) {
	return 0, false
}

// AllSuccessful counts every response as a success. It is the kind
// io.l5d.http.allSuccessful.
type AllSuccessful struct{}

// Classify implements Classifier.
func (AllSuccessful) Classify(_ *http.Request, resp *http.Response, _ error) (weft.Class, bool) {
	if resp != nil {
		return weft.Success, true
	}
	return weft.Failure, true
}

// Retryable5XX retries 5xx responses and the errors after which a request may be
// sent again, for the methods of one of the three sets.
type Retryable5XX uint8

// The sets of methods that Retryable5XX retries.
const (
	// Read is GET, HEAD, OPTIONS and TRACE (io.l5d.http.retryableRead5XX).
	Read Retryable5XX = iota + 1
	// Idempotent is Read with PUT and DELETE (io.l5d.http.retryableIdempotent5XX).
	Idempotent
	// All is Idempotent with POST and PATCH (io.l5d.http.retryableAll5XX).
	All
)

// Classify implements Classifier.
func (r Retryable5XX) Classify(req *http.Request, resp *http.Response, err error) (weft.Class, bool) {
	if !r.covers(req.Method) {
		return 0, false
	}
	if resp != nil && resp.StatusCode >= 500 || err != nil && retryableError(err) {
		return weft.Retryable, true
	}
	return 0, false
}

func (r Retryable5XX) covers(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r >= Read
	case http.MethodPut, http.MethodDelete:
		return r >= Idempotent
	case http.MethodPost, http.MethodPatch:
		return r >= All
	default:
		return false
	}
}

// retryableError reports whether an error tells that the endpoint or the way to it
// failed, rather than the request: a timeout, a write that failed, a connection
// that the peer closed, or a response with bad framing.
//
// What the naming says would be the same again at once, so it is none of these.
func retryableError(err error) bool {
	var e *weft.Error
	if errors.As(err, &e) && (e.Stage == weft.StageIdentify || e.Stage == weft.StageBind) {
		return false
	}
	var timeout interface{ Timeout() bool }
	var framing *FramingError
	return weft.IsUnsent(err) ||
		errors.Is(err, transport.ErrTimeout) ||
		errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &framing) ||
		strings.Contains(err.Error(), "malformed HTTP response") ||
		strings.Contains(err.Error(), "server closed idle connection") ||
		strings.Contains(err.Error(), "transport connection broken")
}

// classify completes a classifier's answer the way Linkerd composes them: its own
// opinion, then 5xx and errors as failures, then the endpoint's own word that the
// request may be sent again, whatever the method.
func classify(c Classifier, req *http.Request, resp *http.Response, err error) weft.Class {
	class, ok := weft.Class(0), false
	if c != nil {
		class, ok = c.Classify(req, resp, err)
	}
	if !ok {
		class = weft.Success
		if err != nil || resp.StatusCode >= http.StatusInternalServerError {
			class = weft.Failure
		}
	}
	if class == weft.Failure && resp != nil && strings.EqualFold(resp.Header.Get(headerRetryable), "true") {
		class = weft.Retryable
	}
	return class
}
