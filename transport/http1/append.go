package http1

import (
	"net/http"
	"strconv"
)

// appendRequestLine appends a request line. Target and method must have been checked.
func appendRequestLine(dst []byte, method, target string, minor int) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	if minor == 0 {
		return append(dst, " HTTP/1.0\r\n"...)
	}
	return append(dst, " HTTP/1.1\r\n"...)
}

// appendStatusLine appends a status line with the text that belongs to the status.
func appendStatusLine(dst []byte, status, minor int) []byte {
	if status == http.StatusOK && minor == 1 {
		return append(dst, "HTTP/1.1 200 OK\r\n"...)
	}
	if minor == 0 {
		dst = append(dst, "HTTP/1.0 "...)
	} else {
		dst = append(dst, "HTTP/1.1 "...)
	}
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	if text := http.StatusText(status); text != "" {
		dst = append(dst, text...)
	} else {
		dst = append(dst, "status code "...)
		dst = strconv.AppendInt(dst, int64(status), 10)
	}
	return append(dst, "\r\n"...)
}

// framingField reports whether a field says how a message is framed, or who is asked: the
// engine writes those itself, from what it does.
func framingField(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Host", "Connection":
		return true
	}
	return false
}

// appendFields appends all fields of header but those for which skip says so (nil: none).
// Names and values that would break the message are left out; bad is the quoted name of one
// of them, or empty.
func appendFields(dst []byte, header http.Header, skip func(name string) bool) (out []byte, bad string) {
	for name, values := range header {
		if skip != nil && skip(name) {
			continue
		}
		for _, v := range values {
			var ok bool
			if dst, ok = appendField(dst, name, v); !ok {
				bad = strconv.Quote(name) // one that is empty must not look like none
			}
		}
	}
	return dst, bad
}

// appendField appends one field line. If it would break the message, nothing is appended and ok is
// false.
func appendField(dst []byte, name, value string) (out []byte, ok bool) {
	begin := len(dst)
	if !isToken(name) {
		return dst, false
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	at := len(dst)
	dst = append(dst, value...)
	if !isText(dst[at:]) {
		return dst[:begin], false
	}
	return append(dst, "\r\n"...), true
}

// appendLength appends a Content-Length field.
func appendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

// appendChunk appends the line before a chunk of n bytes; CRLF has to follow those. n is not
// zero.
func appendChunk(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}

// appendLastChunk appends the end of a chunked body, with the fields of the trailer (nil:
// none) that may be there.
func appendLastChunk(dst []byte, trailer http.Header) []byte {
	dst = append(dst, "0\r\n"...)
	if len(trailer) > 0 {
		dst, _ = appendFields(dst, trailer, func(name string) bool { return !mayTrail(name) })
	}
	return append(dst, "\r\n"...)
}
