package http2

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// requestLength returns the length of req's body, -1 if it is not known.
func requestLength(req *http.Request) int64 {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return 0
	case req.ContentLength > 0:
		return req.ContentLength
	}
	return -1
}

// appendRequest appends the head of req to fields.
func (c *Client) appendRequest(fields []hpack.HeaderField, req *http.Request) ([]hpack.HeaderField, error) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	if !validMethod(method) {
		return nil, fmt.Errorf("http2: request: invalid method %q", method)
	}
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	host, err := httpguts.PunycodeHostPort(host)
	if err != nil {
		return nil, fmt.Errorf("http2: request: host: %w", err)
	}
	if !httpguts.ValidHostHeader(host) {
		return nil, fmt.Errorf("http2: request: invalid host %q", host)
	}
	fields = append(fields, hpack.HeaderField{Name: ":method", Value: method})
	protocol := protocolOf(req)
	if method != http.MethodConnect || protocol != "" {
		path := req.URL.RequestURI()
		if !strings.HasPrefix(path, "/") && path != "*" {
			path = strings.TrimPrefix(path, req.URL.Scheme+"://"+host) // an opaque URL
		}
		if strings.Contains(path, "://") && !strings.HasPrefix(path, "/") || !validPath(path, method) {
			return nil, fmt.Errorf("http2: request: invalid path %q", req.URL.RequestURI())
		}
		scheme := req.URL.Scheme
		if scheme == "" {
			scheme = c.o.Scheme
		}
		fields = append(fields,
			hpack.HeaderField{Name: ":scheme", Value: scheme},
			hpack.HeaderField{Name: ":path", Value: path})
	}
	if host != "" {
		fields = append(fields, hpack.HeaderField{Name: ":authority", Value: host})
	}
	if protocol != "" {
		fields = append(fields, hpack.HeaderField{Name: ":protocol", Value: protocol})
	}
	return c.appendRequestFields(fields, req, method)
}

// appendRequestFields appends what follows the pseudo-headers.
func (c *Client) appendRequestFields(fields []hpack.HeaderField, req *http.Request, method string) ([]hpack.HeaderField, error) {
	dropped := connectionTokens(req.Header)
	for key, values := range req.Header {
		name := c.names.lowerName(key)
		switch name {
		case "host", "content-length", ":protocol":
			continue // said elsewhere
		case "trailer":
			if len(req.Trailer) > 0 {
				continue // said below
			}
		}
		if connectionField(name) || slices.Contains(dropped, name) {
			continue
		}
		if !validName(name) {
			return nil, fmt.Errorf("http2: request: invalid header field name %q", key)
		}
		for _, v := range values {
			v, ok := sendable(v)
			if !ok {
				return nil, fmt.Errorf("http2: request: invalid value of header field %q", key)
			}
			if name == "te" && !strings.EqualFold(v, "trailers") {
				if !httpguts.HeaderValuesContainsToken(values, "trailers") {
					continue
				}
				fields = append(fields, hpack.HeaderField{Name: name, Value: "trailers"})
				break
			}
			fields = append(fields, hpack.HeaderField{Name: name, Value: v})
		}
	}
	if n := requestLength(req); n > 0 || n == 0 && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch) {
		fields = append(fields, hpack.HeaderField{Name: "content-length", Value: strconv.FormatInt(n, 10)})
	}
	if len(req.Trailer) > 0 {
		keys := make([]string, 0, len(req.Trailer))
		for key := range req.Trailer {
			if !validTrailer(key) {
				return nil, fmt.Errorf("http2: request: %q cannot be a trailer", key)
			}
			keys = append(keys, c.names.lowerName(key))
		}
		slices.Sort(keys)
		fields = append(fields, hpack.HeaderField{Name: "trailer", Value: strings.Join(keys, ",")})
	}
	return fields, nil
}

// appendTrailer appends the trailer fields of t.
func (n *names) appendTrailer(fields []hpack.HeaderField, t http.Header) ([]hpack.HeaderField, error) {
	for key, values := range t {
		if !validTrailer(key) {
			return nil, fmt.Errorf("http2: %q cannot be a trailer", key)
		}
		for _, v := range values {
			v, ok := sendable(v)
			if !ok {
				return nil, fmt.Errorf("http2: invalid value of trailer %q", key)
			}
			fields = append(fields, hpack.HeaderField{Name: n.lowerName(key), Value: v})
		}
	}
	return fields, nil
}

// validTrailer says whether the field may follow a body.
func validTrailer(key string) bool {
	return httpguts.ValidHeaderFieldName(key) && httpguts.ValidTrailerHeader(http.CanonicalHeaderKey(key))
}

// connectionTokens returns the names that the Connection field declares to belong to
// the connection, lower-case.
func connectionTokens(h http.Header) []string {
	lines, ok := h["Connection"]
	if !ok {
		return nil
	}
	var tokens []string
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			tokens = append(tokens, strings.ToLower(strings.TrimSpace(t)))
		}
	}
	return tokens
}

// protocolOf returns what an extended CONNECT is to connect by (RFC 8441), as net/http
// has it: in the header ":protocol".
func protocolOf(req *http.Request) string {
	if req.Method != http.MethodConnect {
		return ""
	}
	if v := req.Header[":protocol"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// responseStatus reads the :status that fields begin with.
func responseStatus(fields []hpack.HeaderField) (int, error) {
	if len(fields) == 0 || fields[0].Name != ":status" || len(fields[0].Value) != 3 {
		return 0, errNoStatus
	}
	n, err := strconv.Atoi(fields[0].Value)
	if err != nil || n < 100 {
		return 0, errNoStatus
	}
	return n, nil
}

var errNoStatus = errors.New("http2: response without a valid :status")

// statusText is the status as http.Response has it.
func statusText(code int) string {
	if code == http.StatusOK {
		return "200 OK" // no allocation for nearly all
	}
	return strconv.Itoa(code) + " " + http.StatusText(code)
}
