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
	_ = x.out.control.SetReadDeadline(time.Now().Add(x.h.opts.Stalled)) // without a connection there is nothing to set
	b, err := io.ReadAll(http.MaxBytesReader(x.out.ResponseWriter, x.r.Body, limit))
	_ = x.out.control.SetReadDeadline(time.Time{})
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		x.tooLarge()
		return nil, false
	}
	if err != nil {
		x.out.Header().Set("Connection", "close") // where the next request would begin is not known
		x.fail(http.StatusBadRequest, "The request body cannot be read: "+err.Error())
		return nil, false
	}
	return b, true
}

func (x *exchange) tooLarge() {
	x.out.Header().Set("Connection", "close") // the rest of it is not read
	x.fail(http.StatusRequestEntityTooLarge, "The request body is larger than "+strconv.FormatInt(x.h.opts.MaxBody, 10)+" bytes")
}
