package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzRequestHead has every request that we accept, written again from what we made of it,
// read by net/http as the same request, with nothing left over.
func FuzzRequestHead(f *testing.F) {
	for _, seed := range []string{
		"GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\nx: 2\r\n\r\n",
		"POST http://a:1/x HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcGET",
		"PUT / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\nHost: z\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\n\r\n",
		"CONNECT h:80 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
		"GET //x/%2f HTTP/1.1\r\nHost: h\r\nA:\t\xe9 \r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, body, trailer, err := parseFrom(bytes.NewReader(data), "")
		if err != nil {
			return
		}
		out := appendRequestLine(nil, h.method, h.target, h.minor)
		out, _ = appendField(out, "Host", h.host)
		out, again := rewrite(t, out, h, body, trailer)
		br := bufio.NewReader(bytes.NewReader(out))
		r, err := http.ReadRequest(br)
		if err != nil && strings.Contains(err.Error(), "invalid URL") {
			return // net/url's taste in targets is its own; the server asks it as well
		}
		require.NoError(t, err, "%q", out)
		assert.Equal(t, h.method, r.Method)
		assert.Equal(t, h.target, r.RequestURI)
		assert.Equal(t, h.minor, r.ProtoMinor)
		same(t, h, body, trailer, r.Header, r.Body, &r.Trailer)
		rest, _ := io.ReadAll(br)
		assert.Empty(t, rest, "%q", out)
		if again {
			second, body2, trailer2, err := parseFrom(bytes.NewReader(out), "")
			require.NoError(t, err, "%q", out)
			assert.Equal(t, h.header, second.header)
			assert.Equal(t, h.host, second.host)
			assert.Equal(t, body, body2)
			assert.Equal(t, trailer, trailer2)
		}
	})
}

// FuzzResponseHead does the same with responses.
func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd",
		"HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n3 \r\nabc\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.0 200 Fine\r\nConnection: keep-alive\r\n\r\nabc",
		"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, noBody bool) {
		method := http.MethodGet
		if noBody {
			method = http.MethodHead
		}
		h, body, trailer, err := parseFrom(bytes.NewReader(data), method)
		if err != nil || h.status < 200 {
			return
		}
		out := appendStatusLine(nil, h.status, h.minor)
		out, _ = rewrite(t, out, h, body, trailer)
		br := bufio.NewReader(bytes.NewReader(out))
		r, err := http.ReadResponse(br, &http.Request{Method: method})
		require.NoError(t, err, "%q", out)
		assert.Equal(t, h.status, r.StatusCode)
		same(t, h, body, trailer, r.Header, r.Body, &r.Trailer)
		rest, _ := io.ReadAll(br)
		assert.Empty(t, rest, "%q", out)
	})
}

// rewrite appends header and body of what was parsed. again says that we would make the
// same of it.
func rewrite(t *testing.T, out []byte, h *head, body string, trailer http.Header) (_ []byte, again bool) {
	t.Helper()
	out, bad := appendFields(out, h.header, func(name string) bool { return name == "Content-Length" && h.framing != empty })
	require.Empty(t, bad)
	switch h.framing {
	case empty:
		assert.Empty(t, body)
	case sized:
		assert.Len(t, body, int(h.length))
		out = appendLength(out, h.length)
	case untilClose:
		out = append(out, "Connection: close\r\n"...)
	case chunked:
		out = append(out, "Transfer-Encoding: chunked\r\n\r\n"...)
		if body != "" {
			out = append(append(appendChunk(out, len(body)), body...), "\r\n"...)
		}
		return appendLastChunk(out, trailer), true
	}
	return append(append(out, "\r\n"...), body...), h.framing != untilClose
}

// same asserts that net/http has seen what we have.
func same(t *testing.T, h *head, body string, trailer, header http.Header, theirs io.ReadCloser, theirTrailer *http.Header) {
	t.Helper()
	got, err := io.ReadAll(theirs)
	require.NoError(t, err)
	assert.Equal(t, body, string(got))
	want := h.header.Clone()
	for _, name := range []string{"Host", "Content-Length", "Connection", "Trailer"} {
		want.Del(name)
		header.Del(name)
	}
	if len(header["Pragma"]) > 0 && len(want["Cache-Control"]) == 0 {
		header.Del("Cache-Control") // net/http adds it
	}
	assert.Equal(t, want, header)
	if len(trailer) > 0 {
		assert.Equal(t, trailer, *theirTrailer)
	}
}

// FuzzChunkedBody has our reader agree with net/http's about every chunked body that we accept,
// and understand what we write, however it comes.
func FuzzChunkedBody(f *testing.F) {
	for _, seed := range []string{"3\r\nabc\r\n0\r\n\r\n", "3;x\r\nabc\r\n00\r\nA: b\r\n\r\nGET", "a\r\n0123456789\r\n1 ;q=\"\r\n", "0\r\n\r\n", "7fffffffffffffff\r\n"} {
		f.Add([]byte(seed), uint8(1))
		f.Add([]byte(seed), uint8(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		lim := limits{}.withDefaults()
		h := &head{framing: chunked, length: -1, request: true}
		var p payload
		src := bytes.NewReader(data)
		r := &reader{src: src}
		p.begin(r, &lim, h)
		var body []byte
		var err error
		for buf := make([]byte, int(piece)+1); err == nil; {
			var n int
			n, err = p.Read(buf)
			body = append(body, buf[:n]...)
		}
		if !errors.Is(err, io.EOF) {
			return
		}
		left := len(r.buffered()) + src.Len()
		br := bufio.NewReader(io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(data)))
		req, err := http.ReadRequest(br)
		require.NoError(t, err)
		theirs, err := io.ReadAll(req.Body)
		require.NoError(t, err, "%q", data)
		assert.Equal(t, string(theirs), string(body))
		rest, _ := io.ReadAll(br)
		assert.Len(t, rest, left, "%q", data)
	})
}
