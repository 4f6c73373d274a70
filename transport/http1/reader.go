package http1

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// bufferSize is what a reader's buffer begins with: most heads fit. It grows as far as
// the limits allow.
const bufferSize = 4 << 10

// reader is a read buffer over a connection. Unlike bufio.Reader it grows to hold a
// whole head, may be without a buffer while there is nothing in it, and says what it
// holds. It is for one goroutine.
type reader struct {
	src  io.Reader
	buf  []byte
	r, w int // what has been read and not been taken is buf[r:w]
}

// buffered returns what has been read and not been taken. It is valid until the next
// call of anything else.
func (b *reader) buffered() []byte { return b.buf[b.r:b.w] }

// take removes the first n buffered bytes.
func (b *reader) take(n int) {
	b.r += n
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
}

// fill reads once, moving or growing the buffer if it is full. It returns an error
// only if nothing was read.
func (b *reader) fill() error {
	if b.buf == nil {
		b.buf = make([]byte, bufferSize)
	}
	if b.w == len(b.buf) {
		if b.r > 0 {
			b.w = copy(b.buf, b.buf[b.r:b.w])
			b.r = 0
		} else {
			b.buf = append(b.buf, make([]byte, len(b.buf))...)
		}
	}
	for range 100 {
		n, err := b.src.Read(b.buf[b.w:])
		b.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// Read takes what is buffered, and otherwise reads from the connection, without the
// buffer if p is as large.
func (b *reader) Read(p []byte) (int, error) {
	if b.r == b.w {
		if len(p) >= bufferSize {
			return b.src.Read(p)
		}
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.buf[b.r:b.w])
	b.take(n)
	return n, nil
}

// head reads until the empty line that ends a head, and returns the head with that
// line. The block is valid, and may be written to, until the next call of anything
// but take, which the caller calls with its length when it has been parsed.
//
// Lines end with CRLF and nothing else: a lone LF is a line end to some parsers and
// none to others. Whether there is a CR elsewhere is for whoever looks at the lines.
// The error is io.EOF only if nothing at all came.
func (b *reader) head(lim *limits) ([]byte, error) {
	seen, begin, first := 0, 0, 0 // looked at, begin of the line, begin of the second line
	for lines := 0; ; {
		i := bytes.IndexByte(b.buf[b.r+seen:b.w], '\n')
		end := b.w - b.r
		if i >= 0 {
			end = seen + i + 1
		}
		switch {
		case lines == 0 && end > lim.line+2:
			return nil, refuse(http.StatusRequestURITooLong, "start line too long")
		case lines > 0 && end-first > lim.header+2:
			return nil, refuse(http.StatusRequestHeaderFieldsTooLarge, "header too large")
		case lines > lim.fields+1:
			return nil, refuse(http.StatusRequestHeaderFieldsTooLarge, "too many header fields")
		}
		if i < 0 {
			if err := b.more(end); err != nil {
				return nil, err
			}
			seen = end
			continue
		}
		if end-begin < 2 || b.buf[b.r+end-2] != '\r' {
			return nil, refuse(http.StatusBadRequest, "a line of the head ends with a bare LF")
		}
		if lines == 0 {
			first = end
		}
		lines++
		if end-begin == 2 && lines > 1 {
			return b.buf[b.r : b.r+end], nil
		}
		seen, begin = end, end
	}
}

// more is fill in the middle of something of which there are have bytes.
func (b *reader) more(have int) error {
	err := b.fill()
	if err == io.EOF && have > 0 { //nolint:errorlint // readers return io.EOF itself
		return io.ErrUnexpectedEOF
	}
	return err
}

// errLongLine says that a line is longer than it may be.
var errLongLine = errors.New("http1: line too long")

// line reads a line of at most limit bytes besides its CRLF, and returns it without that.
// It is valid until the next call. The line has been taken.
func (b *reader) line(limit int) ([]byte, error) {
	for seen := 0; ; {
		i := bytes.IndexByte(b.buf[b.r+seen:b.w], '\n')
		if i >= 0 {
			end := seen + i
			line := b.buf[b.r : b.r+end]
			if end == 0 || line[end-1] != '\r' {
				return nil, refuse(http.StatusBadRequest, "a line of a chunked body ends with a bare LF")
			}
			if end-1 > limit {
				return nil, errLongLine
			}
			b.take(end + 1)
			return line[:end-1], nil
		}
		if seen = b.w - b.r; seen > limit+1 {
			return nil, errLongLine
		}
		if err := b.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// unexpected returns err, and io.ErrUnexpectedEOF for an EOF, because the peer had more
// to send.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
		return io.ErrUnexpectedEOF
	}
	return err
}
