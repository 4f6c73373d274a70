package accesslog_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/accesslog"
)

func TestLine(t *testing.T) {
	at := time.Date(2016, 1, 6, 21, 21, 26, 0, time.FixedZone("GMT", 0))
	exchange := func(method, uri, host string) (*http.Request, *http.Response) {
		req := httptest.NewRequest(method, uri, nil)
		req.Host, req.RemoteAddr = host, "10.1.2.3:4567"
		return req, &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: -1}
	}
	rows := []struct {
		name string
		edit func() (*http.Request, *http.Response)
		want string
	}{
		{"the reference's example", func() (*http.Request, *http.Response) {
			req, resp := exchange("HEAD", "/foo?bar=bah", "monkeys")
			req.RemoteAddr = ""
			resp.StatusCode = 402
			resp.Header.Set("Content-Length", "304374")
			return req, resp
		}, `monkeys 0.0.0.0 - - [06/01/2016:21:21:26 GMT] "HEAD /foo?bar=bah HTTP/1.1" 402 304374 "-" "-"`},
		{"all fields", func() (*http.Request, *http.Response) {
			req, resp := exchange("GET", "/", "web:80")
			req.Header.Set("Referer", "http://a/b?c")
			req.Header.Set("User-Agent", "curl/8")
			resp.Header.Set("Content-Length", "0")
			return req, resp
		}, `web:80 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 0 "http://a/b?c" "curl/8"`},
		{
			"a stream, no host", func() (*http.Request, *http.Response) { return exchange("GET", "/", "") },
			`- 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "-"`,
		},
		{"no content", func() (*http.Request, *http.Response) {
			req, resp := exchange("GET", "/", "web")
			resp.StatusCode, resp.ContentLength = 204, 0
			return req, resp
		}, `web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 204 - "-" "-"`},
		{"IPv6", func() (*http.Request, *http.Response) {
			req, resp := exchange("GET", "/", "web")
			req.RemoteAddr = "[2001:db8::17]:80"
			return req, resp
		}, `web 2001:db8::17 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "-"`},
		{"HTTP/1.0", func() (*http.Request, *http.Response) {
			req, resp := exchange("GET", "/a%20b", "web")
			req.Proto = "HTTP/1.0"
			return req, resp
		}, `web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET /a%20b HTTP/1.0" 200 - "-" "-"`},
		{"forged", func() (*http.Request, *http.Response) {
			req, resp := exchange("GET", "/", "web")
			req.Header["User-Agent"] = []string{"x\"\nadmin 1.1.1.1 \\ \x7f"}
			return req, resp
		}, `web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "x\"\nadmin 1.1.1.1 \\ \x7f"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			req, resp := row.edit()
			line := accesslog.Line(req, resp, at)
			assert.Equal(t, row.want, line)
			require.False(t, strings.ContainsAny(line, "\r\n"))
		})
	}
}
