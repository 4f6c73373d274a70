package meshhttp

import (
	"errors"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Identity is what an Identifier found: the logical name of a request and, if the
// identifier consumed a part of the URI, the URI that the endpoint gets.
type Identity struct {
	Path dtab.Path
	// URI is the rewritten path and query; empty leaves the request's own.
	URI string
}

// Identifier finds the logical name in a request. It must not change the request.
// Identify is called concurrently.
//
// An error that is an *Unidentified means that this identifier has nothing to say
// of the request, so that the next one of a Chain is asked; any other error ends
// the request.
type Identifier interface {
	Identify(req *http.Request) (Identity, error)
}

// Unidentified says why a request was not recognised.
type Unidentified struct { //nolint:errname // it is Linkerd's word, and a name that is used elsewhere
	Reason string
	// Err is the cause, if there is one besides the reason.
	Err error
}

// Error returns the reason.
func (e *Unidentified) Error() string { return e.Reason }

// Unwrap returns the cause.
func (e *Unidentified) Unwrap() error { return e.Err }

// MalformedError is about a request that an identifier understands and cannot turn
// into a name, such as one with an empty path segment. The request fails with
// 502, as in Linkerd, whose text the cause has.
type MalformedError struct{ Err error }

// Error returns the cause's text.
func (e *MalformedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Err }

// NotReadyError is of an identifier that cannot name any request yet, because it has
// not got what it names them by. It is not the request's fault: the request fails with
// 503, and with UNAVAILABLE if it speaks gRPC.
type NotReadyError struct{ Err error }

// Error returns the cause's text.
func (e *NotReadyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *NotReadyError) Unwrap() error { return e.Err }

// Chain asks identifiers in order until one recognises the request. The reason
// of the last one is reported if none does.
type Chain []Identifier

// Identify implements Identifier.
func (c Chain) Identify(req *http.Request) (Identity, error) {
	last := error(&Unidentified{Reason: "empty identifier list"})
	for _, i := range c {
		id, err := i.Identify(req)
		var un *Unidentified
		if err == nil || !errors.As(err, &un) {
			return id, err
		}
		last = err
	}
	return Identity{}, last
}

// DefaultPrefix is the prefix of identified names where none is configured.
func DefaultPrefix() dtab.Path { return dtab.MustPath("/svc") }

// headerValue returns the value of the header that names a request, which is usual
// unless the configuration has another. Host lives outside http.Header.
func headerValue(req *http.Request, configured, usual string) (string, error) {
	header := configured
	if header == "" {
		header = usual
	}
	v := req.Host
	if !strings.EqualFold(header, "host") {
		v = req.Header.Get(header)
	}
	if v == "" {
		return "", &Unidentified{Reason: header + " header is absent"}
	}
	return v, nil
}

// named appends elements of text to the prefix. Empty elements cannot be part of
// a name.
func named(prefix dtab.Path, elems ...string) (Identity, error) {
	p, err := prefix.Append(elems...)
	if err != nil {
		if errors.Is(err, dtab.ErrEmptyElement) {
			err = dtab.ErrEmptyElement
		}
		return Identity{}, &MalformedError{Err: err}
	}
	return Identity{Path: p}, nil
}
