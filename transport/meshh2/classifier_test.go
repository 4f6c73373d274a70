package meshh2_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

func rst(code xhttp2.ErrCode) error { return &http2.ResetError{Code: code, Remote: true} }

var (
	errTest    = errors.New("something")
	errLost    = &http2.ConnError{Err: io.EOF}
	errConnect = &weft.Error{Stage: weft.StageConnect, Unsent: true, Err: errTest}
	errLate    = &weft.Error{Stage: weft.StageReceive, Err: &transport.TimeoutError{}}
	errBind    = &weft.Error{Stage: weft.StageBind, Unsent: true, Err: transport.ErrNoHosts}
)

const undecided = weft.Class(99)

// outcome is an attempt's, and what a classifier is to make of it.
type outcome struct {
	name    string
	method  string
	status  string // "": err in place of the response
	head    []string
	trailer []string // nil: none
	err     error    // after the head, if there is a status
	early   weft.Class
	late    weft.Class // if early is undecided
}

func (o outcome) check(t *testing.T, c meshh2.Classifier) {
	t.Helper()
	if o.status == "" {
		got, ok := c.Early(o.method, nil, o.err)
		assert.True(t, ok, o.name)
		assert.Equal(t, o.early, got, o.name)
		assert.Equal(t, o.early, c.Late(o.method, nil, nil, o.err), "%s: the same when asked late", o.name)
		return
	}
	resp := head(append([]string{":status", o.status}, o.head...)...)
	var trailer *meshh2.Head
	if o.trailer != nil {
		trailer = head(o.trailer...)
	}
	got, ok := c.Early(o.method, resp, nil)
	if o.early != undecided {
		assert.True(t, ok, o.name)
		assert.Equal(t, o.early, got, o.name)
		return
	}
	assert.False(t, ok, o.name)
	assert.Equal(t, o.late, c.Late(o.method, resp, trailer, o.err), o.name)
}

func TestServerFailureClassifiers(t *testing.T) {
	const s, f, r = weft.Success, weft.Failure, weft.Retryable
	for kind, row := range map[string]struct {
		c     meshh2.Classifier
		retry string // methods
		keep  string // of those, which it does not retry
		cases []outcome
	}{
		"nonRetryable5XX": {meshh2.NonRetryable5XX{}, "", "GET HEAD OPTIONS TRACE PUT DELETE POST PATCH CONNECT PURGE get", []outcome{
			{name: "200", method: "GET", status: "200", early: undecided, late: s},
			{name: "404", method: "GET", status: "404", early: undecided, late: s},
			{name: "500", method: "GET", status: "500", early: f},
			{name: "503", method: "GET", status: "503", early: f},
			{name: "connect", method: "GET", err: errConnect, early: f},
			{name: "lost", method: "GET", status: "200", err: errLost, early: undecided, late: f},
			{name: "reset", method: "GET", status: "200", err: rst(xhttp2.ErrCodeCancel), early: undecided, late: f},
		}},
		"retryableRead5XX": {meshh2.Read, "GET HEAD OPTIONS TRACE", "PUT DELETE POST PATCH CONNECT PURGE get", []outcome{
			{name: "200", method: "GET", status: "200", early: undecided, late: s},
			{name: "500", method: "GET", status: "500", early: r},
			{name: "V118", method: "POST", status: "500", early: f},
			{name: "POST 200", method: "POST", status: "200", early: undecided, late: s},
			{name: "connect", method: "GET", err: errConnect, early: r},
			{name: "connect POST", method: "POST", err: errConnect, early: f},
			{name: "timeout", method: "GET", err: errLate, early: r},
			{name: "deadline", method: "GET", err: context.DeadlineExceeded, early: r},
			{name: "naming", method: "GET", err: errBind, early: f},
			{name: "cancelled", method: "GET", err: context.Canceled, early: f},
			{name: "reset", method: "GET", err: rst(xhttp2.ErrCodeInternal), early: f},
			{name: "refused, wrapped as not processed", method: "GET", err: &weft.Error{Stage: weft.StageReceive, Unsent: true, Err: rst(xhttp2.ErrCodeRefusedStream)}, early: r},
			{name: "lost early", method: "GET", err: errLost, early: r},
			{name: "lost", method: "GET", status: "200", err: errLost, early: undecided, late: r},
			{name: "lost POST", method: "POST", status: "200", err: errLost, early: undecided, late: f},
			{name: "reset late", method: "GET", status: "200", err: rst(xhttp2.ErrCodeCancel), early: undecided, late: f},
			{name: "EOF", method: "GET", err: fmt.Errorf("read: %w", io.ErrUnexpectedEOF), early: r},
			{name: "stream limit", method: "GET", err: http2.ErrStreamLimit, early: r},
			{name: "other", method: "GET", err: errTest, early: f},
		}},
		"retryableIdempotent5XX": {meshh2.Idempotent, "GET HEAD OPTIONS TRACE PUT DELETE", "POST PATCH CONNECT PURGE", []outcome{
			{name: "PUT", method: "PUT", status: "500", early: r},
			{name: "POST", method: "POST", status: "500", early: f},
		}},
		"V117 retryableAll5XX": {meshh2.All, "GET HEAD OPTIONS TRACE PUT DELETE POST PATCH", "CONNECT PURGE", []outcome{
			{name: "POST 500", method: "POST", status: "500", early: r},
			{name: "POST 200", method: "POST", status: "200", early: undecided, late: s},
			{name: "CONNECT 500", method: "CONNECT", status: "500", early: f},
			{name: "grpc-status is not looked at", method: "POST", status: "200", trailer: []string{"grpc-status", "14"}, early: undecided, late: s},
		}},
		"V116 allSuccessful": {meshh2.AllSuccessful{}, "", "GET POST", []outcome{
			{name: "200", method: "GET", status: "200", early: undecided, late: s},
			{name: "500", method: "GET", status: "500", early: undecided, late: s},
			{name: "connect", method: "GET", err: errConnect, early: f},
			{name: "lost", method: "GET", status: "500", err: errLost, early: undecided, late: f},
		}},
	} {
		t.Run(kind, func(t *testing.T) {
			for _, o := range row.cases {
				o.check(t, row.c)
			}
			for _, m := range words(row.retry) {
				assert.True(t, row.c.CanRetry(m), m)
			}
			for _, m := range words(row.keep) {
				assert.False(t, row.c.CanRetry(m), m)
			}
		})
	}
}

func TestGRPCClassifiers(t *testing.T) {
	const s, f, r = weft.Success, weft.Failure, weft.Retryable
	trailers := func(code string) []string { return []string{"grpc-status", code} }
	for kind, row := range map[string]struct {
		c        meshh2.GRPC
		canRetry bool
		cases    []outcome
	}{
		"V128 default": {meshh2.GRPC{}, true, []outcome{
			{name: "14", status: "200", trailer: trailers("14"), early: undecided, late: r},
			{name: "0", status: "200", trailer: trailers("0"), early: undecided, late: s},
			{name: "13", status: "200", trailer: trailers("13"), early: undecided, late: f},
			{name: "trailers only 14", status: "200", head: trailers("14"), early: r},
			{name: "trailers only 0", status: "200", head: trailers("0"), early: s},
			{name: "trailers only 5", status: "200", head: trailers("5"), early: f},
			{name: "trailers only, unreadable", status: "200", head: trailers("x"), early: f},
			{name: "unreadable", status: "200", trailer: trailers("x"), early: undecided, late: f},
			{name: "negative", status: "200", trailer: trailers("-1"), early: undecided, late: f},
			{name: "no trailers", status: "200", early: undecided, late: f},
			{name: "no status", status: "200", trailer: []string{"x", "y"}, early: undecided, late: f},
			{name: "503", status: "503", early: f},
			{name: "404", status: "404", early: f},
			{name: "grpc-status before :status", status: "503", head: trailers("0"), early: s},
			{name: "refused", err: rst(xhttp2.ErrCodeRefusedStream), early: f},
			{name: "lost", status: "200", err: errLost, early: undecided, late: f},
			{name: "connect", err: errConnect, early: f},
		}},
		"V129 compliant": {meshh2.GRPC{Kind: meshh2.GRPCCompliant}, true, []outcome{
			{name: "refused", err: rst(xhttp2.ErrCodeRefusedStream), early: r},
			{name: "calm", err: rst(xhttp2.ErrCodeEnhanceYourCalm), early: f},
			{name: "refused late", status: "200", err: rst(xhttp2.ErrCodeRefusedStream), early: undecided, late: r},
			{name: "calm late", status: "200", err: rst(xhttp2.ErrCodeEnhanceYourCalm), early: undecided, late: f},
			{name: "429", status: "429", early: r},
			{name: "502", status: "502", early: r},
			{name: "503", status: "503", early: r},
			{name: "504", status: "504", early: r},
			{name: "401", status: "401", early: f},
			{name: "403", status: "403", early: f},
			{name: "500", status: "500", early: f},
			{name: "14", status: "200", trailer: trailers("14"), early: undecided, late: r},
			{name: "0", status: "200", trailer: trailers("0"), early: undecided, late: s},
			{name: "8", status: "200", trailer: trailers("8"), early: undecided, late: f},
			{name: "lost", err: errLost, early: f},
		}},
		"V130 neverRetryable": {meshh2.GRPC{Kind: meshh2.GRPCNever, Success: []meshh2.Code{0, 1, 2, 3}}, false, []outcome{
			{name: "0", status: "200", trailer: trailers("0"), early: undecided, late: s},
			{name: "1", status: "200", trailer: trailers("1"), early: undecided, late: s},
			{name: "2", status: "200", trailer: trailers("2"), early: undecided, late: s},
			{name: "3", status: "200", trailer: trailers("3"), early: undecided, late: s},
			{name: "4", status: "200", trailer: trailers("4"), early: undecided, late: f},
			{name: "14", status: "200", trailer: trailers("14"), early: undecided, late: f},
			{name: "unreadable in the head is 2", status: "200", head: trailers(""), early: s},
		}},
		"alwaysRetryable": {meshh2.GRPC{Kind: meshh2.GRPCAlways}, true, []outcome{
			{name: "0", status: "200", trailer: trailers("0"), early: undecided, late: s},
			{name: "3", status: "200", trailer: trailers("3"), early: undecided, late: r},
			{name: "no status", status: "200", early: undecided, late: f},
			{name: "reset", err: rst(xhttp2.ErrCodeRefusedStream), early: f},
			{name: "503", status: "503", early: f},
		}},
		"retryableStatusCodes": {meshh2.GRPC{Kind: meshh2.GRPCListed, Codes: []meshh2.Code{0, 8, 10}, Success: []meshh2.Code{0, 10}}, true, []outcome{
			{name: "success comes first", status: "200", trailer: trailers("0"), early: undecided, late: s},
			{name: "10", status: "200", trailer: trailers("10"), early: undecided, late: s},
			{name: "8", status: "200", trailer: trailers("8"), early: undecided, late: r},
			{name: "14", status: "200", trailer: trailers("14"), early: undecided, late: f},
		}},
		"success without OK":       {meshh2.GRPC{Success: []meshh2.Code{}}, true, []outcome{{name: "0", status: "200", trailer: trailers("0"), early: undecided, late: f}}},
		"nothing listed to retry":  {meshh2.GRPC{Kind: meshh2.GRPCListed}, false, []outcome{{name: "14", status: "200", trailer: trailers("14"), early: undecided, late: f}}},
		"codes that nobody listed": {meshh2.GRPC{Kind: meshh2.GRPCAlways}, true, []outcome{{name: "99", status: "200", trailer: trailers("99"), early: undecided, late: r}}},
	} {
		t.Run(kind, func(t *testing.T) {
			for _, o := range row.cases {
				o.method = "POST"
				o.check(t, row.c)
			}
			assert.Equal(t, row.canRetry, row.c.CanRetry("POST"))
		})
	}
}
