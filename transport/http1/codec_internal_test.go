package http1

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parsed reads one message from text, in one piece and byte by byte, and returns what both
// made of it.
func parsed(t *testing.T, text, method string) (*head, string, http.Header, error) {
	t.Helper()
	h, body, trailer, err := parseFrom(strings.NewReader(text), method)
	h2, body2, trailer2, err2 := parseFrom(iotest.OneByteReader(strings.NewReader(text)), method)
	assert.Equal(t, body, body2, "the body depends on how it comes")
	assert.Equal(t, trailer, trailer2)
	assert.Equal(t, err, err2)
	if err == nil {
		assert.Equal(t, h.header, h2.header)
	}
	return h, body, trailer, err
}

// parseFrom reads a request if method is empty, and otherwise a response to that method.
func parseFrom(src io.Reader, method string) (*head, string, http.Header, error) {
	lim := limits{}.withDefaults()
	r := &reader{src: src}
	h := &head{}
	block, err := r.head(&lim)
	if err != nil {
		return h, "", nil, err
	}
	if method == "" {
		err = h.parseRequest(block)
	} else {
		err = h.parseResponse(block, method)
	}
	r.take(len(block))
	if err != nil {
		return h, "", nil, err
	}
	var p payload
	p.begin(r, &lim, h)
	body, err := io.ReadAll(&p)
	return h, string(body), p.trailer, err
}

func TestRequestHead(t *testing.T) {
	t.Parallel()
	h, body, trailer, err := parsed(t, "POST /a?b=c HTTP/1.1\r\nhoST: x:80\r\nX-a:  1 \r\nx-A: 2\r\nTRANSFER-ENCODING: Chunked\r\ntrailer: x-t, Content-Length\r\n\r\n"+
		"3;ext=\"1\"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-T: v\r\nContent-Length: 5\r\n\r\n", "")
	require.NoError(t, err)
	assert.Equal(t, "POST", h.method)
	assert.Equal(t, "/a?b=c", h.target)
	assert.Equal(t, "x:80", h.host)
	assert.Equal(t, http.Header{"X-A": {"1", "2"}}, h.header)
	assert.Equal(t, http.Header{"X-T": nil}, h.trailer)
	assert.Equal(t, "abc0123456789", body)
	assert.Equal(t, http.Header{"X-T": {"v"}}, trailer)
	assert.Equal(t, chunked, h.framing)
}

func TestResponseHead(t *testing.T) {
	t.Parallel()
	h, body, _, err := parsed(t, "HTTP/1.1 200 Fine\r\nContent-Length: 3\r\nConnection: close, x\r\n\r\nabcd", http.MethodGet)
	require.NoError(t, err)
	assert.Equal(t, 200, h.status)
	assert.Equal(t, "Fine", h.reason)
	assert.Equal(t, int64(3), h.length)
	assert.True(t, h.close)
	assert.Equal(t, "abc", body)

	h, body, _, err = parsed(t, "HTTP/1.0 200 OK\r\n\r\nabc", http.MethodGet)
	require.NoError(t, err)
	assert.Equal(t, "abc", body)
	assert.True(t, h.close)
}

func TestHeadAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const text = "GET /some/path?x=y HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\naccept: */*\r\nx-request-id: 1234567890\r\nL5d-Ctx-Trace: abc\r\nCookie: a=b\r\n\r\n"
	lim := limits{}.withDefaults()
	src := strings.NewReader("")
	r := &reader{src: src}
	h := &head{}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		src.Reset(text)
		block, err := r.head(&lim)
		if err == nil {
			err = h.parseRequest(block)
		}
		r.take(len(block))
		if err != nil {
			t.Error(err)
		}
	}), 1.0)
}
