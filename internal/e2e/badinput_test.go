package e2e_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw sends bytes on a connection of their own and reads one response.
func raw(t *testing.T, addr, text string) reply {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(limit)))
	sent := make(chan struct{})
	go func() { // a server may answer and close before it has read all
		defer close(sent)
		_, _ = io.WriteString(c, text)
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_ = c.Close()
	<-sent
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func TestBadRequestsAreRefusedAndDisturbNobody(t *testing.T) {
	dir := t.TempDir()
	web := endpointAt(t, "127.0.0.1:0", saying("ok"))
	write(t, dir+"/disco/web", web.line())
	m := serveIn(t, dir, five)
	others := startLoad(t, pooled(t), 200, func(int) call { return get(m.url("http")+"/", "Host: web") })
	others.until(t, 20)
	addr := m.addrs.Servers["http"][0]
	pad := func(kb int) string { return strings.Repeat("x", kb<<10) }
	rows := []struct {
		name, head string
		status     int
		err        string // in l5d-err or the body
	}{
		{"malformed l5d-dtab", "GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc/web -> /svc/b\r\n", 400, "/svc/web [-]> /svc/b"},
		{"malformed l5d-ctx-dtab", "GET / HTTP/1.1\r\nHost: web\r\nl5d-ctx-dtab: nonsense\r\n", 400, "'/' expected but 'n' found at '[n]onsense'"},
		{"V4 empty host", "GET / HTTP/1.1\r\nHost: \r\n", 400, "Host header is absent"},
		{"headers over 8 KiB", "GET / HTTP/1.1\r\nHost: web\r\nX-Pad: " + pad(8) + "\r\n", 431, ""},
		{"headers of 100 KiB", "GET / HTTP/1.1\r\nHost: web\r\nX-Pad: " + pad(100) + "\r\n", 431, ""},
		{"headers of 2 MiB", "GET / HTTP/1.1\r\nHost: web\r\nX-Pad: " + pad(2048) + "\r\n", 431, ""},
		{"many headers", "GET / HTTP/1.1\r\nHost: web\r\n" + strings.Repeat("X-Pad: xxxxxxxxxxx\r\n", 500), 431, ""},
		{"a line over 4 KiB", "GET /" + pad(4) + " HTTP/1.1\r\nHost: web\r\n", 414, ""},
		{"a line of 100 KiB", "GET /" + pad(100) + " HTTP/1.1\r\nHost: web\r\n", 414, ""},
		{"both", "GET /" + pad(5) + " HTTP/1.1\r\nHost: web\r\nX-Pad: " + pad(9) + "\r\n", 414, ""},
		{"not HTTP", "nonsense\r\n", 400, ""},
		{"blank in the target", "GET /a b HTTP/1.1\r\nHost: web\r\n", 400, ""},
		{"bad header name", "GET / HTTP/1.1\r\nHost: web\r\nBad Name: x\r\n", 400, ""},
		{"conflicting lengths", "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400, ""},
		{"just within", "GET /" + pad(3) + " HTTP/1.1\r\nHost: web\r\nX-Pad: " + pad(7) + "\r\n", 200, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := raw(t, addr, row.head+"Connection: close\r\n\r\n")
			assert.Equal(t, row.status, r.status, r.body)
			if row.err != "" {
				assert.Contains(t, r.body, row.err)
				assert.NotEmpty(t, r.header.Get("L5d-Err"))
				assert.NotContains(t, r.header.Get("L5d-Err"), "\n")
			}
		})
	}
	t.Run("the parse error of a dtab is the parser's", func(t *testing.T) {
		r := do(t, get(m.url("http")+"/", "Host: web", "L5d-Dtab: /svc/web -> /svc/b"))
		assert.Equal(t, 400, r.status)
		assert.Equal(t, "'=' expected but '-' found at '/svc/web [-]> /svc/b'", r.body)
	})
	n := others.count()
	others.until(t, n+20)
	others.mustNotFail(t)
	for _, r := range web.requests() {
		require.Less(t, len(r.RequestURI), 4<<10)
		require.Less(t, len(r.Header.Get("X-Pad")), 8<<10)
	}
}
