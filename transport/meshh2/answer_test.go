package meshh2_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func at(stage weft.Stage, unsent bool, err error) error {
	return &weft.Error{Stage: stage, Dst: dtab.MustPath("/svc/web"), Unsent: unsent, Err: err}
}

// TestAnswers is the table of answerTo, by errors as they come.
func TestAnswers(t *testing.T) {
	_, syntax := dtab.Parse("i am not a dtab")
	lost := &http2.ConnError{Err: io.EOF}
	noHosts := &transport.NoHostsError{Path: dtab.MustPath("/svc/web")}
	timeout := &transport.TimeoutError{Limit: time.Second, To: "web"}
	const no, internal, refused, cancel = xhttp2.ErrCodeNo, xhttp2.ErrCodeInternal, xhttp2.ErrCodeRefusedStream, xhttp2.ErrCodeCancel
	const reset = "reset"
	for _, row := range []struct {
		id    string
		err   error
		plain string // the status, or reset
		code  xhttp2.ErrCode
		grpc  string // grpc-status, or reset with the same code
		text  string
	}{
		{"V113", at(weft.StageIdentify, true, &meshhttp.Unidentified{Reason: "missing header: ':authority'"}), reset, refused, "3", "missing header: ':authority'"},
		{"unidentified, bare", &meshhttp.Unidentified{Reason: "no"}, reset, refused, "3", "no"},
		{"identifier failed", at(weft.StageIdentify, true, errTest), reset, refused, "3", "something"},
		{"unidentified path is no bad dtab", at(weft.StageIdentify, true, &meshhttp.Unidentified{Reason: "no", Err: syntax}), reset, refused, "3", "no"},
		{"identifier not ready", at(weft.StageIdentify, true, &meshhttp.NotReadyError{Err: errTest}), "503", no, "14", "something"},
		{"bad dtab", at(weft.StageIdentify, true, syntax), "400", no, "3", syntax.Error()},
		{"V115", at(weft.StageIdentify, true, &meshh2.CallDepthError{Max: 2}), "400", no, "9", "Maximum number of calls (2) has been exceeded. Please check for proxy loops."},
		{"V114", at(weft.StageBind, true, noHosts), "502", no, "14", noHosts.Error()},
		{"look-up failed", at(weft.StageBind, true, errTest), "502", no, "14", "something"},
		{"naming's dtab does not parse", at(weft.StageBind, true, syntax), "502", no, "14", syntax.Error()},
		{"none healthy", at(weft.StagePick, true, balancer.ErrUnhealthy), "502", no, "14", balancer.ErrUnhealthy.Error()},
		{"no connection", at(weft.StageConnect, true, &transport.ConnectError{Selected: "1.2.3.4:80", Err: errTest}), "502", no, "14", (&transport.ConnectError{Selected: "1.2.3.4:80", Err: errTest}).Error()},
		{"no connection in time", at(weft.StageConnect, true, context.DeadlineExceeded), "502", no, "14", "context deadline exceeded"},
		{"binding timeout", at(weft.StageBind, true, &transport.BindingTimeoutError{Timeout: time.Second, Path: dtab.MustPath("/svc/web")}), reset, internal, "14", "Exceeded 1.seconds binding timeout while resolving name: /svc/web"},
		{"overload", meshh2.ErrOverloaded, reset, refused, reset, ""},
		{"router closed", at(weft.StageBind, true, transport.ErrClosed), reset, refused, reset, ""},
		{"V111", at(weft.StageReceive, true, rst(refused)), reset, refused, reset, ""},
		{"reset, not retried", rst(refused), reset, refused, reset, ""},
		{"V107", at(weft.StageReceive, false, rst(cancel)), reset, cancel, reset, ""},
		{"reset calm", rst(xhttp2.ErrCodeEnhanceYourCalm), reset, xhttp2.ErrCodeEnhanceYourCalm, reset, ""},
		{"reset without error", rst(no), reset, no, reset, ""},
		{"endpoint broke a rule", &http2.ResetError{Code: xhttp2.ErrCodeProtocol, Reason: "connection field"}, reset, xhttp2.ErrCodeProtocol, "13", "http2: stream reset: PROTOCOL_ERROR: connection field"},
		{"endpoint sent too much", &http2.ResetError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "queue"}, reset, xhttp2.ErrCodeEnhanceYourCalm, "8", "http2: stream reset: ENHANCE_YOUR_CALM: queue"},
		{"GOAWAY before the stream", at(weft.StageReceive, true, &http2.ConnError{Err: io.EOF, Unprocessed: true}), reset, refused, "14", "http2: connection lost: EOF"},
		{"GOAWAY, bare", &http2.ConnError{Err: io.EOF, Unprocessed: true}, reset, refused, "14", "http2: connection lost: EOF"},
		{"stream limit", at(weft.StageSend, true, http2.ErrStreamLimit), reset, refused, "14", http2.ErrStreamLimit.Error()},
		{"connection lost", at(weft.StageReceive, false, lost), reset, internal, "14", "http2: connection lost: EOF"},
		{"connection lost, bare", lost, reset, internal, "14", "http2: connection lost: EOF"},
		{"cannot send", at(weft.StageSend, false, errTest), reset, internal, "14", "something"},
		{"attempt timeout", at(weft.StageReceive, false, timeout), reset, internal, "4", timeout.Error()},
		{"total timeout", at(weft.StageDeadline, false, timeout), reset, internal, "4", timeout.Error()},
		{"caller's deadline", at(weft.StageDeadline, true, transport.ErrTooLate), reset, internal, "4", transport.ErrTooLate.Error()},
		{"deadline", context.DeadlineExceeded, reset, internal, "4", "context deadline exceeded"},
		{"interrupted", at(weft.StageReceive, false, context.Canceled), reset, cancel, reset, ""},
		{"anything else", errTest, reset, internal, "13", "something"},
	} {
		t.Run(row.id, func(t *testing.T) {
			plain := meshh2.AnswerTo("GET", false, false, row.err)
			if row.plain == reset {
				assert.Equal(t, meshh2.Answer{Reset: true, Code: row.code}, plain)
			} else {
				assert.Equal(t, []string{
					":status", row.plain, "l5d-err", meshhttp.EncodeErr(row.text, 0), "content-type", "text/plain", "content-length", strconv.Itoa(len(row.text)),
				}, pairs(plain.Head))
				assert.Equal(t, row.text, string(plain.Body))
				assert.False(t, plain.Reset)
			}
			begun := meshh2.AnswerTo("GET", false, true, row.err)
			assert.True(t, begun.Reset, "half a response is not completed by another one")
			if row.plain == reset {
				assert.Equal(t, row.code, begun.Code)
			} else {
				assert.Equal(t, internal, begun.Code)
			}

			g := meshh2.AnswerTo("POST", true, false, row.err)
			late := meshh2.AnswerTo("POST", true, true, row.err)
			if row.grpc == reset {
				assert.Equal(t, meshh2.Answer{Reset: true, Code: row.code}, g)
				assert.Equal(t, g, late)
				return
			}
			status := []string{"grpc-status", row.grpc, "grpc-message", meshh2.EncodeMessage(row.text, 0), "l5d-err", meshhttp.EncodeErr(row.text, 0)}
			assert.Equal(t, append([]string{":status", "200", "content-type", "application/grpc"}, status...), pairs(g.Head))
			assert.Nil(t, g.Body)
			assert.False(t, g.Reset)
			assert.Equal(t, status, pairs(late.Trailer))
			assert.Nil(t, late.Head)
			assert.False(t, late.Reset)
		})
	}
}

func TestAnswerIsWholeForAnyText(t *testing.T) {
	err := at(weft.StageBind, true, errors.New("\ngrün ☃"))
	a := meshh2.AnswerTo("GET", false, false, err)
	assert.Equal(t, "\ngrün ☃", string(a.Body))
	assert.Equal(t, hpack.HeaderField{Name: "content-length", Value: "10"}, a.Head[3], "bytes, not characters")
	assert.Equal(t, hpack.HeaderField{Name: "l5d-err", Value: "%0Agr%FCn+%3F"}, a.Head[1])

	a = meshh2.AnswerTo(http.MethodHead, false, false, err)
	assert.Nil(t, a.Body)
	assert.Equal(t, "10", a.Head[3].Value)

	long := at(weft.StageBind, true, errors.New(strings.Repeat("☃ x", 1<<16)))
	for _, grpc := range []bool{true, false} {
		a = meshh2.AnswerTo("POST", grpc, false, long)
		var size uint32
		for _, f := range a.Head {
			size += f.Size()
		}
		assert.Less(t, size, uint32(8<<10), "what the strictest peers take")
	}
	assert.Len(t, a.Body, 5<<16, "the body is whole")
	assert.Nil(t, meshh2.AnswerTo("GET", false, false, at(weft.StageBind, true, errors.New(""))).Body)
}

func TestAnswersToOutsiders(t *testing.T) {
	err := at(weft.StageBind, true, errTest)
	a := meshh2.AnswerTo("GET", false, false, err).Clear()
	assert.Equal(t, []string{":status", "502"}, pairs(a.Head))
	assert.Nil(t, a.Body)
	a = meshh2.AnswerTo("POST", true, false, err).Clear()
	assert.Equal(t, []string{":status", "200", "content-type", "application/grpc", "grpc-status", "14"}, pairs(a.Head))
	a = meshh2.AnswerTo("POST", true, true, err).Clear()
	assert.Equal(t, []string{"grpc-status", "14"}, pairs(a.Trailer))
	a = meshh2.AnswerTo("POST", true, true, rst(xhttp2.ErrCodeCancel)).Clear()
	assert.Equal(t, meshh2.Answer{Reset: true, Code: xhttp2.ErrCodeCancel}, a)
}

func TestUnprocessed(t *testing.T) {
	for _, err := range []error{
		rst(xhttp2.ErrCodeRefusedStream), &http2.ConnError{Err: io.EOF, Unprocessed: true}, http2.ErrClosed, http2.ErrDraining, http2.ErrStreamLimit,
		at(weft.StageSend, true, errTest),
	} {
		assert.True(t, meshh2.Unprocessed(err), err)
	}
	for _, err := range []error{
		rst(xhttp2.ErrCodeCancel), &http2.ConnError{Err: io.EOF}, errTest, at(weft.StageSend, false, errTest), http2.ErrEnded,
		&http2.ResetError{Code: xhttp2.ErrCodeRefusedStream, Reason: "this side did"},
	} {
		assert.False(t, meshh2.Unprocessed(err), err)
	}
	_, ok := meshh2.ResetCode(errTest)
	assert.False(t, ok)
	code, ok := meshh2.ResetCode(at(weft.StageReceive, false, rst(xhttp2.ErrCodeCancel)))
	require.True(t, ok)
	assert.Equal(t, xhttp2.ErrCodeCancel, code)
}
