package meshhttp_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// call is a request as a test wants it sent. The zero fields are GET, /, HTTP/1.1.
type call struct {
	method, uri, proto string
	host               string
	header             []string // "Name: value"
	body               string
	chunked            bool
}

// reply is a response as the caller got it.
type reply struct {
	*http.Response
	body string
	err  error // in the middle of the body
}

// face is one way into the mesh.
type face struct {
	name   string
	engine engine
	do     func(t *testing.T, w *world, c call) reply
}

// faces are the ways that must not differ: a client in the process, a listener
// used as a server, and the same listener as a forward proxy.
func faces() []face {
	return []face{{"in-process", ours, inProcess}, {"proxied", recycled, proxied}, {"http_proxy", recycled, forwardProxied}}
}

// onAllFaces runs f for every face, each with a world of its own.
func onAllFaces(t *testing.T, s setup, f func(w *world, do func(call) reply)) {
	t.Helper()
	for _, face := range faces() {
		for _, engine := range []engine{face.engine, netHTTP} {
			t.Run(face.name+string(engine), func(t *testing.T) {
				s := s
				s.engine = engine
				inWorld(t, s, func(w *world) {
					t := w.t
					f(w, func(c call) reply { return face.do(t, w, c) })
				})
			})
		}
	}
}

func (c call) withDefaults() call {
	if c.method == "" {
		c.method = http.MethodGet
	}
	if c.uri == "" {
		c.uri = "/"
	}
	if c.proto == "" {
		c.proto = "HTTP/1.1"
	}
	return c
}

// request makes the request of a client in the process.
func (c call) request(t *testing.T) *http.Request {
	t.Helper()
	c = c.withDefaults()
	u := &url.URL{Scheme: "http", Host: c.host}
	parsed, err := url.ParseRequestURI(c.uri)
	require.NoError(t, err)
	u.Path, u.RawPath, u.RawQuery, u.ForceQuery = parsed.Path, parsed.RawPath, parsed.RawQuery, parsed.ForceQuery
	req := (&http.Request{Method: c.method, URL: u, Host: c.host, Header: http.Header{}}).WithContext(t.Context())
	req.Proto, req.ProtoMajor = c.proto, 1
	if c.proto == "HTTP/1.1" {
		req.ProtoMinor = 1
	}
	for _, h := range c.header {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Add(name, strings.TrimSpace(value))
	}
	if c.body != "" {
		req.Body = io.NopCloser(strings.NewReader(c.body))
		if !c.chunked {
			req.ContentLength = int64(len(c.body))
		}
	}
	return req
}

// inProcess sends the request through the transport. An error becomes the response
// that Linkerd would send, so that the faces can be compared.
func inProcess(t *testing.T, w *world, c call) reply {
	t.Helper()
	req := c.request(t)
	resp, err := w.mesh.RoundTrip(req)
	if err != nil {
		var e *weft.Error
		require.ErrorAs(t, err, &e, "all errors are of one type")
		resp = meshhttp.Respond(req, err, 0)
	}
	return readReply(resp)
}

func proxied(t *testing.T, w *world, c call) reply {
	t.Helper()
	return overWire(t, w, c, c.withDefaults().uri)
}

func forwardProxied(t *testing.T, w *world, c call) reply {
	t.Helper()
	c = c.withDefaults()
	if c.host == "" { // there is no absolute form without a host
		return overWire(t, w, c, c.uri)
	}
	if !strings.HasPrefix(c.uri, "/") {
		return overWire(t, w, c, c.uri)
	}
	return overWire(t, w, c, "http://"+c.host+c.uri)
}

// overWire writes the request to the listener as it is.
func overWire(t *testing.T, w *world, c call, target string) reply {
	t.Helper()
	conn, err := w.net.Dial(t.Context(), proxyAddr)
	require.NoError(t, err)
	defer conn.Close()
	c = c.withDefaults()
	var b strings.Builder
	b.WriteString(c.method + " " + target + " " + c.proto + "\r\n")
	if c.proto != "HTTP/1.0" || c.host != "" {
		b.WriteString("Host: " + c.host + "\r\n")
	}
	for _, h := range c.header {
		b.WriteString(h + "\r\n")
	}
	switch {
	case c.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		cw := &strings.Builder{}
		for chunk := range strings.SplitSeq(c.body, "|") {
			writeChunk(cw, chunk)
		}
		writeChunk(cw, "")
		b.WriteString(cw.String())
	case c.body != "":
		b.WriteString("Content-Length: " + itoa(len(c.body)) + "\r\n\r\n" + c.body)
	default:
		b.WriteString("\r\n")
	}
	go func() { _, _ = io.WriteString(conn, b.String()) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: c.method})
	require.NoError(t, err)
	return readReply(resp)
}

func readReply(resp *http.Response) reply {
	b, err := io.ReadAll(resp.Body)
	return reply{Response: resp, body: string(b), err: errors.Join(err, resp.Body.Close())}
}
