package httpapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// body reads the body of the request, or answers that it is too large or too slow.
func (x *exchange) body() ([]byte, bool) {
	limit := x.h.opts.MaxBody
	if x.r.ContentLength > limit {
		x.tooLarge()
		return nil, false
	}
	b, err := io.ReadAll(http.MaxBytesReader(x.out.ResponseWriter, x.r.Body, limit))
	if err == nil {
		_ = x.out.control.SetReadDeadline(time.Time{})
		return b, true
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		x.tooLarge()
		return nil, false
	}
	x.out.Header().Set("Connection", "close") // where the next request would begin is not known
	x.fail(http.StatusBadRequest, "The request body cannot be read: "+err.Error())
	return nil, false
}

// limitBody gives the body its time to come, also if nobody but the server reads it,
// to get to the next request. Without a connection, as in tests, there is nothing to
// set.
func (x *exchange) limitBody() {
	if x.r.ContentLength != 0 {
		_ = x.out.control.SetReadDeadline(time.Now().Add(x.h.opts.Stalled))
	}
}

func (x *exchange) tooLarge() {
	x.out.Header().Set("Connection", "close") // the rest of it is not read
	x.fail(http.StatusRequestEntityTooLarge, "The request body is larger than "+strconv.FormatInt(x.h.opts.MaxBody, 10)+" bytes")
}
