package http2

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// maxUpgradeHead is the longest head of a request to be upgraded.
const maxUpgradeHead = 64 << 10

// errUpgrade is an upgrade that cannot be; the client got an answer.
var errUpgrade = errors.New("http2: upgrade from HTTP/1.1 refused: body too long")

// upgradeConn reads the HTTP/1.1 request that nc begins with and, if it asks for h2c,
// makes it stream 1 of an HTTP/2 connection (RFC 7540 3.2). begin was read from nc.
func (s *Server) upgradeConn(nc net.Conn, begin []byte) (*Conn, error) {
	if s.o.MaxUpgradeBody < 0 || !looksLikeRequest(begin) {
		return nil, s.other(nc, begin)
	}
	limited := &io.LimitedReader{R: nc, N: maxUpgradeHead}
	kept := &keptReader{r: limited, read: begin}
	br := bufio.NewReader(kept)
	req, err := http.ReadRequest(br)
	settings, ok := "", false
	if err == nil {
		settings, ok = upgradeSettings(req)
	}
	if !ok {
		// An error is for those to find who know what this is meant to be.
		return nil, s.other(nc, kept.read)
	}
	kept.forget = true
	limited.N = s.o.MaxUpgradeBody + maxUpgradeHead // chunks have heads, too
	body, err := s.upgradeBody(nc, req)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"); err != nil {
		return nil, fmt.Errorf("http2: upgrade from HTTP/1.1: %w", err)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("http2: upgrade from HTTP/1.1: %w", err)
	}
	if n := br.Buffered(); n > 0 { // the client was fast
		rest, err := br.Peek(n)
		if err != nil {
			return nil, fmt.Errorf("http2: upgrade from HTTP/1.1: %w", err)
		}
		nc = &replayConn{Conn: nc, begin: rest}
	}
	c := NewServerConn(nc, s.o.Conn, nil)
	if err := c.Upgraded(settings, s.upgradeFields(req, len(body)), body); err != nil {
		return nil, err
	}
	return c, nil
}

// upgradeBody reads the body of a request that is to be upgraded.
func (s *Server) upgradeBody(nc net.Conn, req *http.Request) ([]byte, error) {
	limit := s.o.MaxUpgradeBody
	if req.ContentLength <= limit {
		if req.ContentLength != 0 && httpguts.HeaderValuesContainsToken(req.Header["Expect"], "100-continue") {
			if _, err := io.WriteString(nc, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return nil, fmt.Errorf("http2: upgrade from HTTP/1.1: %w", err)
			}
		}
		body, err := io.ReadAll(io.LimitReader(req.Body, limit+1))
		if err != nil {
			return nil, fmt.Errorf("http2: upgrade from HTTP/1.1: body: %w", err)
		}
		if int64(len(body)) <= limit {
			return body, nil
		}
	}
	_, err := io.WriteString(nc, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	return nil, errors.Join(errUpgrade, err)
}

// looksLikeRequest says whether begin may be that of an HTTP/1 request: a method's
// letter, which a TLS record does not begin with.
func looksLikeRequest(begin []byte) bool {
	return len(begin) > 0 && begin[0] >= 'A' && begin[0] <= 'Z'
}

// upgradeSettings returns the value of HTTP2-Settings if req is to be upgraded.
func upgradeSettings(req *http.Request) (string, bool) {
	settings := req.Header["Http2-Settings"]
	connection := req.Header["Connection"]
	ok := req.ProtoAtLeast(1, 1) && len(settings) == 1 &&
		httpguts.HeaderValuesContainsToken(req.Header["Upgrade"], "h2c") &&
		httpguts.HeaderValuesContainsToken(connection, "upgrade") &&
		httpguts.HeaderValuesContainsToken(connection, "http2-settings")
	if !ok {
		return "", false
	}
	return settings[0], true
}

// upgradeFields is req's head as HTTP/2 has it. The body, which is of that length, has
// been read.
func (s *Server) upgradeFields(req *http.Request, length int) []hpack.HeaderField {
	path := req.RequestURI
	if !strings.HasPrefix(path, "/") && path != "*" {
		path = req.URL.RequestURI()
	}
	fields := []hpack.HeaderField{
		{Name: ":method", Value: req.Method},
		{Name: ":scheme", Value: "http"},
		{Name: ":authority", Value: req.Host},
		{Name: ":path", Value: path},
	}
	dropped := append(connectionTokens(req.Header), "http2-settings", "content-length", "host", "trailer", "expect")
	fields = s.names.appendHeader(fields, req.Header, func(name string) bool { return slices.Contains(dropped, name) })
	if length > 0 {
		fields = append(fields, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(length)})
	}
	return fields
}

// keptReader keeps what is read from r, after what was read before, until told to
// forget it.
type keptReader struct {
	r      io.Reader
	read   []byte
	given  int // how much of read was given
	forget bool
}

// Read implements io.Reader.
func (k *keptReader) Read(p []byte) (int, error) {
	if k.given < len(k.read) {
		n := copy(p, k.read[k.given:])
		k.given += n
		return n, nil
	}
	n, err := k.r.Read(p)
	if !k.forget {
		k.read = append(k.read, p[:n]...)
		k.given = len(k.read)
	}
	return n, err
}
