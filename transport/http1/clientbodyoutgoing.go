package http1

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// Buffered is implemented by request bodies that may be in memory: Buffered returns
// all of what has not been read, and true, if it is, and if reading it again would
// give the same. Such a body is not read but written from there, with the head, and
// again if the connection turns out dead. The bytes must stay as they are until Close.
type Buffered interface {
	Buffered() ([]byte, bool)
}

// inline is how long a body may be that is written before the response is read, on
// the goroutine that does both: what sockets have room for even if the endpoint reads
// nothing of it before it answers.
const inline = 64 << 10

// outgoing is the body of a request.
type outgoing struct {
	src    io.ReadCloser // nil: there is none
	length int64         // -1: not known
	mem    []byte        // all of it, if it is Buffered
	known  io.WriterTo   // src, if it is one of the readers that never wait
	aside  bool          // it takes a goroutine
}

// plan says how body, which is that of req, is written; minor is the version's.
func (o *outgoing) plan(req *http.Request, body io.ReadCloser, minor int) error {
	*o = outgoing{}
	if body == nil || body == http.NoBody {
		if req.ContentLength > 0 {
			return &RequestError{What: fmt.Sprintf("no body, and a length of %d", req.ContentLength)}
		}
		return nil
	}
	o.src, o.length = body, req.ContentLength
	if o.length == 0 {
		o.length = -1 // as in net/http: there is a body, and nobody said how long it is
	}
	if b, ok := body.(Buffered); ok {
		if mem, ok := b.Buffered(); ok {
			if o.length >= 0 && int64(len(mem)) != o.length {
				return &RequestError{What: fmt.Sprintf("length %d, and a body of %d bytes", o.length, len(mem))}
			}
			o.mem, o.length = mem, int64(len(mem))
			o.aside = len(mem) > inline
		} else {
			o.aside = true
		}
	} else if err := o.recognise(body); err != nil {
		return err
	}
	if len(req.Trailer) > 0 && minor > 0 && o.length >= 0 {
		o.length = -1 // only a chunked body has a trailer
		o.aside = true
	}
	if o.length < 0 && minor == 0 {
		return &RequestError{What: "HTTP/1.0, and a body of unknown length"}
	}
	return nil
}

// recognise finds out whether body is one of the readers that never wait.
func (o *outgoing) recognise(body io.Reader) error {
	var size int
	switch r := unwrap(body).(type) {
	case *bytes.Reader:
		o.known, size = r, r.Len()
	case *bytes.Buffer:
		o.known, size = r, r.Len()
	case *strings.Reader:
		o.known, size = r, r.Len()
	default:
		o.aside = true
		return nil
	}
	if o.length >= 0 && int64(size) != o.length {
		return &RequestError{What: fmt.Sprintf("length %d, and a body of %d bytes", o.length, size)}
	}
	o.length = int64(size)
	o.aside = size > inline
	return nil
}

// unwrap returns what is inside an io.NopCloser.
func unwrap(r io.Reader) any {
	switch reflect.TypeOf(r) {
	case reflect.TypeOf(io.NopCloser(nil)), reflect.TypeOf(io.NopCloser((*bytes.Reader)(nil))):
		return reflect.ValueOf(r).Field(0).Interface()
	}
	return r
}

// appendFraming appends the fields that say where the body ends.
func (o *outgoing) appendFraming(dst []byte, method string, trailer http.Header) []byte {
	switch {
	case o.length < 0:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
		begun := false
		for name := range trailer {
			if !isToken(name) || !mayTrail(http.CanonicalHeaderKey(name)) {
				continue
			}
			if begun {
				dst = append(dst, ", "...)
			} else {
				dst = append(dst, "Trailer: "...)
				begun = true
			}
			dst = append(dst, name...)
		}
		if begun {
			dst = append(dst, "\r\n"...)
		}
	case o.length > 0:
		dst = appendLength(dst, o.length)
	case o.src != nil, method == http.MethodPost, method == http.MethodPut, method == http.MethodPatch:
		dst = appendLength(dst, 0)
	}
	return dst
}

// replayable reports whether the body can be sent once more.
func (o *outgoing) replayable(req *http.Request) bool {
	return o.src == nil || o.mem != nil || req.GetBody != nil
}

// close closes the body, once.
func (o *outgoing) close() {
	if o.src != nil {
		_ = o.src.Close() // all that was wanted of it has been read
		o.src = nil
	}
}
