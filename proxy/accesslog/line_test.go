package accesslog_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/accesslog"
)

func at() time.Time {
	return time.Date(2016, 1, 6, 21, 21, 26, 7_000_000, time.FixedZone("GMT", 0))
}

func TestLine(t *testing.T) {
	entry := func(edit func(*accesslog.Entry)) accesslog.Entry {
		e := accesslog.Entry{Method: "GET", URI: "/", Protocol: "HTTP/1.1", Host: "web", Remote: "10.1.2.3:4567", Status: 200}
		edit(&e)
		return e
	}
	for _, row := range []struct {
		name string
		edit func(*accesslog.Entry)
		want string
	}{
		{"the reference's example", func(e *accesslog.Entry) {
			*e = accesslog.Entry{Method: "HEAD", URI: "/foo?bar=bah", Protocol: "HTTP/1.1", Host: "monkeys", Status: 402, Length: "304374"}
		}, `monkeys 0.0.0.0 - - [06/01/2016:21:21:26 GMT] "HEAD /foo?bar=bah HTTP/1.1" 402 304374 "-" "-"`},
		{
			"all fields", func(e *accesslog.Entry) {
				e.Host, e.Referer, e.UserAgent, e.Length = "web:80", "http://a/b?c", "curl/8", "0"
			},
			`web:80 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 0 "http://a/b?c" "curl/8"`,
		},
		{
			"a stream, no host", func(e *accesslog.Entry) { e.Host = "" },
			`- 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "-"`,
		},
		{
			"no content", func(e *accesslog.Entry) { e.Status = 204 },
			`web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 204 - "-" "-"`,
		},
		{
			"IPv6", func(e *accesslog.Entry) { e.Remote = "[2001:db8::17]:80" },
			`web 2001:db8::17 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "-"`,
		},
		{
			"HTTP/1.0", func(e *accesslog.Entry) { e.Protocol, e.URI = "HTTP/1.0", "/a%20b" },
			`web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET /a%20b HTTP/1.0" 200 - "-" "-"`,
		},
		{
			"forged", func(e *accesslog.Entry) { e.UserAgent = "x\"\nadmin 1.1.1.1 \\ \x7f" },
			`web 10.1.2.3 - - [06/01/2016:21:21:26 GMT] "GET / HTTP/1.1" 200 - "-" "x\"\nadmin 1.1.1.1 \\ \x7f"`,
		},
		{
			"h2", func(e *accesslog.Entry) { e.Protocol, e.URI, e.Length, e.UserAgent = "HTTP/2", "/a\"b", "7", "curl" },
			`web 10.1.2.3 - - [06/01/2016:21:21:26 +0000] "GET /a\"b HTTP/2" 200 - "-" "curl"`,
		},
		{
			"h2 with little", func(e *accesslog.Entry) {
				*e = accesslog.Entry{Method: "POST", URI: "/", Protocol: "HTTP/2", Status: 502}
			},
			`- 0.0.0.0 - - [06/01/2016:21:21:26 +0000] "POST / HTTP/2" 502 - "-" "-"`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := entry(row.edit)
			line := accesslog.Line(&e, at())
			assert.Equal(t, row.want, line)
			require.False(t, strings.ContainsAny(line, "\r\n"))
		})
	}
}

func TestJSON(t *testing.T) {
	whole := accesslog.Entry{
		Router: "http", Method: "GET", Host: "web", URI: "/x?y", Protocol: "HTTP/1.1", Remote: "10.1.2.3:4567", Referer: "http://a",
		UserAgent: "x\"\nadmin", Status: 200, Length: "12", Service: "/svc/web", Client: "/#/io.l5d.fs/web", Endpoint: "10.0.0.1:80",
		Attempt: 2, Latency: 1234 * time.Microsecond, Trace: "00000000000000ff",
	}
	line := accesslog.JSON(&whole, at())
	assert.Equal(t, `{"time":"2016-01-06T21:21:26.007Z","router":"http","remote":"10.1.2.3","method":"GET","host":"web","uri":"/x?y",`+
		`"protocol":"HTTP/1.1","status":200,"responseBytes":12,"latencyMs":1.234,"service":"/svc/web","client":"/#/io.l5d.fs/web",`+
		`"endpoint":"10.0.0.1:80","attempt":2,"trace":"00000000000000ff","referer":"http://a","userAgent":"x\"\nadmin"}`, line)
	assert.True(t, json.Valid([]byte(line)))

	assert.Equal(t, `{"time":"2016-01-06T21:21:26.007Z","method":"GET","uri":"/","protocol":"HTTP/2","status":503}`,
		accesslog.JSON(&accesslog.Entry{Method: "GET", URI: "/", Protocol: "HTTP/2", Status: 503}, at()))
}
