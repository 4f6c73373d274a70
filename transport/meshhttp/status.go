package meshhttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

// Respond turns an error of a Transport, or of what stands before one, into the
// response that Linkerd sends: the status by the table below, the message as text
// in the body and URL-encoded in l5d-err, cut to maxHeader bytes (8 KiB if zero).
// It is the only place that maps errors to statuses.
//
//	cause                                   status
//	not identified, or a bad dtab           400
//	the identifier is not ready yet         503
//	anything that timed out                 503
//	binding timeout                         502
//	the identifier cannot make a name of it 502
//	everything else                         502
func Respond(req *http.Request, err error, maxHeader int) *http.Response {
	return respond(req, err, maxHeader, 0)
}

// respond is Respond with the body cut to maxBody bytes, unless that is zero.
func respond(req *http.Request, err error, maxHeader, maxBody int) *http.Response {
	code, text := statusOf(req, err)
	body := text
	if maxBody > 0 && len(body) > maxBody {
		body = body[:maxBody]
	}
	resp := textResponse(req, code, body, false)
	resp.Header[headerErr] = []string{encodeErr(text, maxHeader)}
	var e *weft.Error
	if errors.As(err, &e) && e.Stage == weft.StageSend {
		resp.Header[headerRetryable] = []string{"true"}
	}
	return resp
}

func statusOf(req *http.Request, err error) (code int, text string) {
	var (
		e         *weft.Error
		un        *Unidentified
		malformed *MalformedError
		notReady  *NotReadyError
		syntax    *dtab.SyntaxError
		timeout   *transport.TimeoutError
		deadline  interface{ Timeout() bool }
	)
	text = err.Error()
	if errors.As(err, &e) && e.Err != nil {
		text = e.Err.Error() // Linkerd's text, without the stage and name in front
	}
	switch {
	case errors.As(err, &un):
		return http.StatusBadRequest, unknownDestination(req, un.Reason)
	case errors.As(err, &malformed):
		return http.StatusBadGateway, malformed.Error()
	case errors.As(err, &notReady):
		return http.StatusServiceUnavailable, notReady.Error()
	case errors.As(err, &syntax):
		return http.StatusBadRequest, syntax.Error()
	case e != nil && e.Stage == weft.StageIdentify:
		return http.StatusBadRequest, unknownDestination(req, text)
	case errors.As(err, &timeout):
		return http.StatusServiceUnavailable, timeout.Error()
	case e != nil && e.Stage != weft.StageConnect && errors.As(err, &deadline) && deadline.Timeout():
		return http.StatusServiceUnavailable, text
	default:
		return http.StatusBadGateway, text
	}
}

func unknownDestination(req *http.Request, reason string) string {
	return fmt.Sprintf("Unknown destination: Request(%q, from %s) / %s", req.Method+" "+requestURI(req), from(req), reason)
}

func from(req *http.Request) string {
	if req.RemoteAddr == "" {
		return "/0.0.0.0:0"
	}
	return "/" + req.RemoteAddr
}

// newResponse returns a response made by the mesh.
func newResponse(req *http.Request, code int, body []byte) *http.Response {
	resp := &http.Response{
		StatusCode: code, Status: strconv.Itoa(code) + " " + http.StatusText(code),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Request: req, ContentLength: int64(len(body)), Body: http.NoBody,
	}
	if len(body) > 0 {
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	return resp
}

// textResponse returns a response with a plain text body; withErr adds l5d-err.
func textResponse(req *http.Request, code int, text string, withErr bool) *http.Response {
	resp := newResponse(req, code, []byte(text))
	resp.Header["Content-Type"] = []string{"text/plain"}
	if withErr {
		resp.Header[headerErr] = []string{encodeErr(text, 0)}
	}
	return resp
}

// encodeErr encodes text as Java's URLEncoder does in ISO-8859-1, and cuts it to
// limit bytes without leaving half an escape.
func encodeErr(text string, limit int) string {
	if limit <= 0 {
		limit = 8 << 10
	}
	var b strings.Builder
	for _, r := range text {
		var enc string
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".-*_", r):
			enc = string(r)
		case r == ' ':
			enc = "+"
		case r > 0xff:
			enc = "%3F"
		default:
			enc = fmt.Sprintf("%%%02X", r)
		}
		if b.Len()+len(enc) > limit {
			break
		}
		b.WriteString(enc)
	}
	return b.String()
}
