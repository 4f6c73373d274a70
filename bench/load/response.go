package load

import (
	"bytes"
	"errors"
	"strconv"
)

var errResponse = errors.New("load: a response has no Content-Length or a head of more than 4 kB")

// response finds the end of one HTTP/1.1 response with a Content-Length in the bytes
// of a connection. The zero value waits for a response.
type response struct {
	head   [4 << 10]byte
	n      int
	body   int // bytes of the body that are still to come
	inBody bool
	ok     bool // the status is 2xx
}

// feed takes bytes of the connection and returns whether they end the response.
func (r *response) feed(b []byte) (done bool, err error) {
	if !r.inBody {
		taken := copy(r.head[r.n:], b)
		was := r.n
		r.n += taken
		end := bytes.Index(r.head[:r.n], []byte("\r\n\r\n"))
		if end < 0 {
			if r.n == len(r.head) {
				return false, errResponse
			}
			return false, nil
		}
		if err := r.parse(r.head[:end+2]); err != nil {
			return false, err
		}
		r.inBody = true
		b = b[end+4-was:]
	}
	r.body -= len(b)
	if r.body > 0 {
		return false, nil
	}
	r.n, r.inBody = 0, false
	return true, nil
}

func (r *response) parse(head []byte) error {
	status, rest, _ := bytes.Cut(head, []byte("\r\n"))
	r.ok = len(status) > 9 && status[9] == '2'
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if len(line) > 15 && line[14] == ':' && bytes.EqualFold(line[:14], []byte("content-length")) {
			n, err := strconv.Atoi(string(bytes.TrimSpace(line[15:])))
			if err != nil {
				return errResponse
			}
			r.body = n
			return nil
		}
	}
	return errResponse
}
