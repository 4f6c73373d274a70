package k8s

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// StatusError is an answer of the API server that is not the one asked for.
type StatusError struct {
	// Path is what was asked for.
	Path string

	// Code is the HTTP status; Reason and Message are those of the API's Status object,
	// empty if there was none.
	Code            int
	Reason, Message string

	// RetryAfter is how long the server wants to be left alone, 0 if it has not said.
	RetryAfter time.Duration

	tooLarge bool // the server does not know a version that new
}

// Error implements error.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("k8s: %s: %d %s", e.Path, e.Code, http.StatusText(e.Code))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Code == http.StatusUnauthorized {
		text += " (the credentials are wrong or have expired)"
	}
	return text
}

// status is the part of a meta/v1 Status that is of interest.
type status struct {
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Code    int    `json:"code"`
	Details struct {
		RetryAfterSeconds int `json:"retryAfterSeconds"`
		Causes            []struct {
			Reason string `json:"reason"`
		} `json:"causes"`
	} `json:"details"`
}

// statusOf makes an error of a response other than 200.
func statusOf(path string, resp *http.Response) *StatusError {
	e := &StatusError{Path: path, Code: resp.StatusCode}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil {
		e.fill(body)
	}
	e.Code = resp.StatusCode
	return e
}

// fill takes what a Status object says.
func (e *StatusError) fill(text []byte) {
	var s status
	if json.Unmarshal(text, &s) != nil {
		return // a page of some proxy
	}
	e.Code, e.Reason, e.Message = s.Code, s.Reason, s.Message
	if s.Details.RetryAfterSeconds > 0 {
		e.RetryAfter = time.Duration(s.Details.RetryAfterSeconds) * time.Second
	}
	for _, c := range s.Details.Causes {
		e.tooLarge = e.tooLarge || c.Reason == "ResourceVersionTooLarge"
	}
}

// expired reports whether the server cannot go on from the version it was asked to.
func expired(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && (e.Code == http.StatusGone || e.Reason == "Expired" || e.tooLarge)
}

// unavailable reports whether the server has answered that it does not have, or
// does not give, a kind of objects at all.
func unavailable(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && (e.Code == http.StatusForbidden || e.Code == http.StatusNotFound)
}

// passing reports whether trouble may be over in a moment: the server is not there,
// starts, or is too busy.
func passing(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return !ok || e.Code >= http.StatusTooManyRequests
}

// class tells kinds of trouble apart: the same one is said once.
func class(err error) string {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return strconv.Itoa(e.Code)
	}
	return "unreachable"
}
