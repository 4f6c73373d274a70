package meshh2

import "github.com/weft-mesh/weft"

// NonRetryable5XX counts 5xx as failures and retries none. It is the kind
// io.l5d.h2.nonRetryable5XX, the default.
type NonRetryable5XX struct{}

// CanRetry implements Classifier.
func (NonRetryable5XX) CanRetry(string) bool { return false }

// Early implements Classifier.
func (NonRetryable5XX) Early(_ string, resp *Head, err error) (weft.Class, bool) {
	return weft.Failure, err != nil || resp.statusClass() == '5'
}

// Late implements Classifier.
func (NonRetryable5XX) Late(_ string, resp, _ *Head, err error) weft.Class {
	if err != nil || resp.statusClass() == '5' {
		return weft.Failure
	}
	return weft.Success
}

// AllSuccessful counts every response that comes to its end as a success. It is the
// kind io.l5d.h2.allSuccessful.
type AllSuccessful struct{}

// CanRetry implements Classifier.
func (AllSuccessful) CanRetry(string) bool { return false }

// Early implements Classifier.
func (AllSuccessful) Early(_ string, _ *Head, err error) (weft.Class, bool) {
	return weft.Failure, err != nil
}

// Late implements Classifier.
func (AllSuccessful) Late(_ string, _, _ *Head, err error) weft.Class {
	if err != nil {
		return weft.Failure
	}
	return weft.Success
}

// Retryable5XX retries 5xx responses and the errors after which a request may be
// sent again, for the methods of one of the three sets.
type Retryable5XX uint8

// The sets of methods that Retryable5XX retries.
const (
	// Read is GET, HEAD, OPTIONS and TRACE (io.l5d.h2.retryableRead5XX).
	Read Retryable5XX = iota + 1
	// Idempotent is Read with PUT and DELETE (io.l5d.h2.retryableIdempotent5XX).
	Idempotent
	// All is Idempotent with POST and PATCH (io.l5d.h2.retryableAll5XX).
	All
)

// CanRetry implements Classifier.
func (r Retryable5XX) CanRetry(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return r >= Read
	case "PUT", "DELETE":
		return r >= Idempotent
	case "POST", "PATCH":
		return r >= All
	default:
		return false
	}
}

// Early implements Classifier.
func (r Retryable5XX) Early(method string, resp *Head, err error) (weft.Class, bool) {
	if err == nil && resp.statusClass() != '5' {
		return 0, false
	}
	if r.CanRetry(method) && (err == nil || retryableError(err)) {
		return weft.Retryable, true
	}
	return weft.Failure, true
}

// Late implements Classifier.
func (r Retryable5XX) Late(method string, resp, _ *Head, err error) weft.Class {
	if c, ok := r.Early(method, resp, err); ok {
		return c
	}
	return weft.Success
}

// statusClass returns the first digit of a response's status, 0 if it has none.
func (h *Head) statusClass() byte {
	if h == nil {
		return 0
	}
	if s := h.Get(nameStatus); len(s) == 3 {
		return s[0]
	}
	return 0
}
