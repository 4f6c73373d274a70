package http1

import (
	"bytes"
	"io"
	"math"
	"net/http"
)

// payload reads one message body from a reader. Its zero value is an empty body. After
// an error or the end it stays there. It is for one goroutine.
type payload struct {
	r       *reader
	lim     *limits
	framing framing
	left    int64 // of the body, or of the chunk
	padded  bool  // spaces after a chunk size are taken, as old servers write them
	inside  bool  // a chunk has been begun, and its CRLF is still to come
	ending  bool  // the trailer has been begun
	excess  int64 // bytes of chunk lines beyond what sizes need
	total   int64 // of the sizes of the chunks so far, if they are limited
	trailer http.Header
	err     error
}

// begin makes the payload read a body that is framed so.
func (p *payload) begin(r *reader, lim *limits, h *head) {
	*p = payload{r: r, lim: lim, framing: h.framing, left: h.length, padded: !h.request}
	if h.framing == empty {
		p.left, p.err = 0, io.EOF
	}
	if h.framing == chunked {
		p.left = 0
	}
}

// ended reports whether the body has been read to its end.
func (p *payload) ended() bool { return p.r == nil || p.err == io.EOF } //nolint:errorlint // set below

// resume makes the payload go on after a deadline that was not the peer's fault, if
// nothing has been lost.
func (p *payload) resume() {
	if p.err != nil && isDeadline(p.err) && !p.ending {
		p.err = nil
	}
}

// Read implements io.Reader. The last bytes come together with io.EOF where that needs no
// waiting, so that whoever passes them on knows at once that they are the last.
func (p *payload) Read(b []byte) (int, error) {
	if p.r == nil {
		return 0, io.EOF
	}
	if p.err != nil {
		return 0, p.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	switch p.framing {
	case sized:
		return p.readSized(b)
	case chunked:
		return p.readChunked(b)
	case untilClose:
		n, err := p.r.Read(b)
		p.err = err
		return n, err
	case empty:
	}
	p.err = io.EOF
	return 0, io.EOF
}

func (p *payload) readSized(b []byte) (int, error) {
	n, err := p.r.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	switch {
	case p.left == 0:
		p.err = io.EOF
	case err != nil:
		p.err = unexpected(err)
	}
	return n, p.err
}

func (p *payload) readChunked(b []byte) (n int, err error) {
	for {
		if p.left == 0 {
			if n > 0 && !p.lineBuffered() {
				return n, nil
			}
			if p.err = p.next(); p.err != nil {
				if n > 0 && p.err != io.EOF { //nolint:errorlint // set by next
					return n, nil // the error is for the next call
				}
				return n, p.err
			}
		}
		if len(b) == 0 || n > 0 && len(p.r.buffered()) == 0 {
			return n, nil
		}
		got, err := p.r.Read(b[:min(int64(len(b)), p.left)])
		n, b, p.left = n+got, b[got:], p.left-int64(got)
		if err != nil {
			p.err = unexpected(err)
			return n, p.err
		}
	}
}

// lineBuffered reports whether the next chunk's line, and a whole trailer if it is the
// last one, can be read without waiting.
func (p *payload) lineBuffered() bool {
	rest := p.r.buffered()
	if p.inside {
		if len(rest) < 2 {
			return false
		}
		rest = rest[2:]
	}
	i := bytes.IndexByte(rest, '\n')
	if i < 0 {
		return false
	}
	return rest[0] != '0' || bytes.Contains(rest, []byte("\r\n\r\n"))
}

// next begins the next chunk. It returns io.EOF, with the trailer read, if there is
// none.
func (p *payload) next() error {
	if p.inside {
		for len(p.r.buffered()) < 2 {
			if err := p.r.fill(); err != nil {
				return unexpected(err)
			}
		}
		if string(p.r.buffered()[:2]) != "\r\n" {
			return refuse(http.StatusBadRequest, "chunk does not end where its size says")
		}
		p.r.take(2)
		p.inside = false
	}
	line, err := p.r.line(p.lim.chunk)
	if err != nil {
		return tooLong(err, http.StatusBadRequest, "chunk line too long")
	}
	size, err := parseChunk(line, p.padded)
	if err != nil {
		return err
	}
	// Sixteen bytes for each line and as many again as the chunk has are no burden.
	p.excess = max(0, p.excess+int64(len(line))+2-16-2*min(size, slack))
	if p.excess > slack {
		return refuse(http.StatusBadRequest, "more chunk lines than data")
	}
	if size == 0 {
		return p.readTrailer()
	}
	if p.lim.body > 0 {
		if size > p.lim.body-p.total {
			return &http.MaxBytesError{Limit: p.lim.body}
		}
		p.total += size
	}
	p.left, p.inside = size, true
	return nil
}

// tooLong returns err, or a ProtocolError if it is errLongLine.
func tooLong(err error, status int, what string) error {
	if err == errLongLine { //nolint:errorlint // it is never wrapped
		return refuse(status, what)
	}
	return err
}

// parseChunk parses the line before a chunk (RFC 9112 §7.1). Extensions are looked at and
// dropped.
func parseChunk(line []byte, padded bool) (int64, error) {
	i := 0
	var size int64
	for ; i < len(line) && hex(line[i]) < 16; i++ {
		if i == 16 || size > math.MaxInt64>>4 {
			return 0, refuse(http.StatusBadRequest, "chunk size too large")
		}
		size = size<<4 | int64(hex(line[i]))
	}
	rest := trim(line[i:])
	switch {
	case i == 0, len(rest) > 0 && rest[0] != ';', len(rest) == 0 && i < len(line) && !padded, !isText(rest):
		return 0, refuse(http.StatusBadRequest, "malformed chunk size or extension")
	}
	return size, nil
}

// hex returns the value of a hexadecimal digit, and 16 for other bytes.
func hex(c byte) byte {
	switch {
	case digit(c):
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// readTrailer reads the lines after the last chunk and returns io.EOF.
func (p *payload) readTrailer() error {
	p.ending = true
	var block []byte
	for n := 0; ; n++ {
		line, err := p.r.line(p.lim.trailer - len(block))
		if err != nil {
			return tooLong(err, http.StatusRequestHeaderFieldsTooLarge, "trailer too large")
		}
		if len(line) == 0 {
			break
		}
		if n == p.lim.fields || len(block)+len(line)+2 > p.lim.trailer {
			return refuse(http.StatusRequestHeaderFieldsTooLarge, "trailer too large")
		}
		block = append(append(block, line...), '\r', '\n')
	}
	if block == nil {
		return io.EOF
	}
	block = append(block, '\r', '\n')
	var f fields
	err := f.scan(block, 0, func(name, _ []byte) (bool, error) { return mayTrail(string(name)), nil })
	if err != nil {
		return err
	}
	if f.kept > 0 {
		p.trailer = make(http.Header, f.kept)
		f.fill(string(block), p.trailer)
	}
	return io.EOF
}
