package http1

import (
	"bytes"
	"net/http"
)

// parseResponse takes the head of a response to a request of the given method apart. The
// block is written to. Errors are *ProtocolError, whose status means nothing here.
func (h *head) parseResponse(block []byte, method string) error {
	h.reset(false)
	end := bytes.IndexByte(block, '\n') - 1
	line := block[:end]
	if len(line) < len("HTTP/1.1 200") || line[8] != ' ' {
		return refuse(http.StatusBadGateway, "malformed status line")
	}
	var err error
	if h.minor, err = version(line[:8]); err != nil {
		return err
	}
	for _, c := range line[9:12] {
		if !digit(c) {
			return refuse(http.StatusBadGateway, "malformed status code")
		}
		h.status = h.status*10 + int(c-'0')
	}
	// Some leave out the space that stands before no reason.
	if h.status < 100 || len(line) > 12 && line[12] != ' ' || !isText(line[12:]) {
		return refuse(http.StatusBadGateway, "malformed status line")
	}
	if err = h.scan(block, end+2, h.see); err != nil {
		return err
	}
	if err = h.frameResponse(method); err != nil {
		return err
	}
	text := string(block)
	if end > 13 {
		h.reason = reason(h.status, text[13:end])
	}
	h.fill(text, h.header)
	if h.bodiless() {
		delete(h.header, "Content-Length")
	}
	if h.codings > 0 {
		delete(h.header, "Content-Length")
	}
	return nil
}

// reason returns the text of a status, as a constant if it is the usual one.
func reason(status int, text string) string {
	if usual := http.StatusText(status); usual == text {
		return usual
	}
	return text
}

// bodiless reports whether the status has no body and no length either.
func (h *head) bodiless() bool { return h.status < 200 || h.status == http.StatusNoContent }

// frameResponse decides where the body of a response ends (RFC 9112 §6.3).
func (h *head) frameResponse(method string) error {
	if h.codings > 0 && h.minor == 0 {
		return refuse(http.StatusBadGateway, "Transfer-Encoding in HTTP/1.0")
	}
	// What says its length twice, or has one that it cannot have, may have been read
	// otherwise by others: nothing that follows on this connection can be believed.
	if h.codings > 0 && h.size >= 0 || h.bodiless() && (h.codings > 0 || h.size > 0) {
		h.close = true
	}
	switch {
	case h.bodiless():
		h.length = 0
	case method == http.MethodHead || h.status == http.StatusNotModified:
		h.length = h.size
		if h.codings > 0 {
			h.length = -1
		}
	case method == http.MethodConnect && h.status < 300:
		h.framing, h.length = untilClose, -1
	case h.codings > 0:
		h.framing, h.length = chunked, -1
	case h.size > 0:
		h.framing, h.length = sized, h.size
	case h.size == 0:
	default:
		h.framing, h.length, h.close = untilClose, -1, true
	}
	if h.minor == 0 {
		h.close = h.close || !h.keepAlive
	}
	return nil
}
