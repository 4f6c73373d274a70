package e2e_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// single is a router whose names all lead to one endpoint. ${server} are keys of
// its server, ${router} of the router.
const single = `
admin: {port: 0}
routers:
- protocol: http
  label: one
  dtab: /svc/* => /$/inet/127.1/${endpoint}
  ${router}
  servers:
  - {port: 0, ${server}}
`

// front serves single in front of h.
func front(t *testing.T, router, server string, h http.HandlerFunc) (*mesh, *endpoint) {
	t.Helper()
	e := endpointAt(t, "127.0.0.1:0", h)
	_, port, _ := strings.Cut(e.addr, ":")
	yaml := strings.NewReplacer("${endpoint}", port, "${router}", strings.ReplaceAll(router, "\n", "\n  "), "${server}", server).Replace(single)
	return serve(t, yaml), e
}

func TestServerKeys(t *testing.T) {
	ok := saying("ok")
	t.Run("timestampHeader", func(t *testing.T) { // V44
		m, e := front(t, "", "timestampHeader: x-request-start", ok)
		do(t, get(m.url("one")+"/", "Host: a"))
		ms, err := strconv.ParseInt(e.last(t).Header.Get("X-Request-Start"), 10, 64)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), time.UnixMilli(ms), time.Minute)
	})
	t.Run("maxCallDepth", func(t *testing.T) { // V78
		m, _ := front(t, "", "maxCallDepth: 9", ok)
		via := func(n int) string {
			return "Via: " + strings.TrimSuffix(strings.Repeat("1.1 linkerd, ", n), ", ")
		}
		assert.Equal(t, 200, do(t, get(m.url("one")+"/", "Host: a", via(9))).status)
		r := do(t, get(m.url("one")+"/", "Host: a", via(10)))
		assert.Equal(t, 400, r.status)
		assert.Equal(t, "Maximum number of calls (9) has been exceeded. Please check for proxy loops.", r.body)
	})
	t.Run("clearContext", func(t *testing.T) { // V53, V54
		headers := []string{"Host: a", "L5d-Dtab: /foo=>/bar", "L5d-Ctx-Thing: yoooooo"}
		l5d := func(h http.Header) (all []string) {
			for name := range h {
				if rest, ok := strings.CutPrefix(name, "L5d-"); ok {
					all = append(all, rest)
				}
			}
			return all
		}
		m, e := front(t, "", "clearContext: false", ok)
		do(t, get(m.url("one")+"/", headers...))
		assert.ElementsMatch(t, []string{"Dst-Service", "Dst-Client", "Reqid", "Ctx-Dtab", "Ctx-Trace", "Ctx-Thing"}, l5d(e.last(t).Header))
		assert.Equal(t, "/foo=>/bar", e.last(t).Header.Get("L5d-Ctx-Dtab"))

		m, e = front(t, "", "clearContext: true", ok)
		r := do(t, get(m.url("one")+"/", headers...))
		assert.ElementsMatch(t, []string{"Dst-Service", "Dst-Client", "Reqid", "Ctx-Trace"}, l5d(e.last(t).Header))
		assert.Empty(t, l5d(r.header))
		_ = e.server.Close() // V55
		r = do(t, get(m.url("one")+"/", "Host: a"))
		assert.Equal(t, 502, r.status)
		assert.Empty(t, l5d(r.header))
		assert.Empty(t, r.body)
	})
	t.Run("timeoutMs", func(t *testing.T) {
		gone := make(chan struct{})
		m, _ := front(t, "", "timeoutMs: 50", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-gone:
			}
		})
		r := do(t, get(m.url("one")+"/", "Host: a"))
		close(gone)
		assert.Equal(t, 503, r.status)
		assert.Equal(t, "exceeded 50.milliseconds to one while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available", r.body)
	})
	t.Run("maxConcurrentRequests", func(t *testing.T) {
		entered, leave := make(chan struct{}), make(chan struct{})
		m, _ := front(t, "", "maxConcurrentRequests: 1", func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(entered)
				<-leave
			}
		})
		slow := make(chan reply)
		go func() {
			r, _ := try(get(m.url("one")+"/slow", "Host: a"))
			slow <- r
		}()
		<-entered
		r := do(t, get(m.url("one")+"/", "Host: a"))
		close(leave)
		assert.Equal(t, 200, (<-slow).status)
		assert.Equal(t, 503, r.status)
		assert.Equal(t, "Request was not processed by the server due to an error and is safe to retry", r.body)
		assert.Equal(t, "true", r.header.Get("Finagle-Http-Nack"))
		assert.Equal(t, "0", r.header.Get("Retry-After"))
		assert.Empty(t, r.header.Get("L5d-Err"))
		assert.Equal(t, 200, do(t, get(m.url("one")+"/", "Host: a")).status, "it is free again")
	})
	t.Run("addForwardedHeader", func(t *testing.T) {
		for keys, want := range map[string]string{
			"{}": `^by=_\w{6};for=_\w{6};host=a$`,
			"{by: {kind: ip}, for: {kind: 'ip:port'}}":                               `^by=127\.0\.0\.1;for="127\.0\.0\.1:\d+";host=a$`,
			"{by: {kind: router}, for: {kind: static, label: x}}":                    `^by=_one;for=_x;host=a$`,
			"{by: {kind: static, label: _cowabunga}, for: {kind: connectionRandom}}": `^by=_cowabunga;for=_\w{6};host=a$`,
		} {
			m, e := front(t, "", "addForwardedHeader: "+keys, ok)
			do(t, get(m.url("one")+"/", "Host: a", "Forwarded: for=before"))
			got := e.last(t).Header["Forwarded"]
			require.Len(t, got, 2, keys)
			assert.Equal(t, "for=before", got[0])
			assert.Regexp(t, want, got[1])
		}
	})
	t.Run("connectionRandom and requestRandom", func(t *testing.T) {
		m, e := front(t, "", "addForwardedHeader: {by: {kind: connectionRandom}, for: {kind: requestRandom}}", ok)
		client := pooled(t)
		for range 2 {
			_, err := get(m.url("one")+"/", "Host: a").with(client)
			require.NoError(t, err)
		}
		var labels [][]string
		for _, r := range e.requests() {
			labels = append(labels, regexp.MustCompile(`by=(_\w+);for=(_\w+)`).FindStringSubmatch(r.Header.Get("Forwarded")))
		}
		assert.Equal(t, labels[0][1], labels[1][1], "one connection")
		assert.NotEqual(t, labels[0][2], labels[1][2], "two requests")
	})
}

func TestRouterKeys(t *testing.T) {
	text := strings.Repeat("words ", 2000)
	typed := func(kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		}
	}
	for _, row := range []struct {
		name, router, kind string
		zipped             bool
	}{
		{"by default text is compressed", "", "text/plain; charset=utf-8", true},
		{"and so is JSON", "compressionLevel: -1", "application/json", true},
		{"but pictures are not", "", "image/png", false},
		{"level 0 is off", "compressionLevel: 0", "text/plain", false},
		{"level 1 is for all types", "compressionLevel: 1", "image/png", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, _ := front(t, row.router, "", typed(row.kind))
			r := do(t, get(m.url("one")+"/", "Host: a", "Accept-Encoding: gzip"))
			if !row.zipped {
				assert.Equal(t, text, r.body)
				return
			}
			zr, err := gzip.NewReader(strings.NewReader(r.body))
			require.NoError(t, err)
			body, err := io.ReadAll(zr)
			require.NoError(t, err)
			assert.Equal(t, text, string(body))
			assert.Equal(t, text, do(t, get(m.url("one")+"/", "Host: a")).body, "who does not accept it gets it plain")
		})
	}
	t.Run("dstPrefix and identifiers", func(t *testing.T) { // V11, V12
		m, e := front(t, "dstPrefix: /svc\nidentifier: [{kind: io.l5d.header}, {kind: io.l5d.path, segments: 2, consume: true}]", "", saying("ok"))
		do(t, get(m.url("one")+"/a/b/c?d", "Host: h"))
		assert.Equal(t, "/svc/a/b", e.last(t).Header.Get("L5d-Dst-Service"))
		assert.Equal(t, "/c?d", e.last(t).RequestURI)
		do(t, get(m.url("one")+"/a/b/c?d", "Host: h", "L5d-Name: /x"))
		assert.Equal(t, "/svc/x", e.last(t).Header.Get("L5d-Dst-Service"))
	})
	t.Run("tracePropagator", func(t *testing.T) {
		m, e := front(t, "tracePropagator: {kind: io.l5d.zipkin}", "", saying("ok"))
		do(t, get(m.url("one")+"/", "Host: a", "X-B3-TraceId: 463ac35c9f6413ad", "X-B3-SpanId: a2fb4a1d1a96d312"))
		assert.Contains(t, e.last(t).Header.Get("X-B3-Traceid"), "463ac35c9f6413ad")
		assert.Empty(t, e.last(t).Header.Get("L5d-Ctx-Trace"))
	})
	t.Run("maxHeadersKB limits responses", func(t *testing.T) {
		big := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Pad", strings.Repeat("x", 12<<10)) }
		m, _ := front(t, "", "", big)
		assert.Equal(t, 502, do(t, get(m.url("one")+"/", "Host: a")).status)
		m, _ = front(t, "maxHeadersKB: 16", "", big)
		assert.Equal(t, 200, do(t, get(m.url("one")+"/", "Host: a")).status)
	})
	t.Run("maxErrResponseKB", func(t *testing.T) {
		m, _ := front(t, "maxErrResponseKB: 1\nmaxHeadersKB: 64", "", saying("ok"))
		long := "/x" + strings.Repeat("y", 3000)
		r := do(t, get(m.url("one")+"/", "Host: a", "L5d-Dtab: /svc => !; /x => "+long))
		assert.Equal(t, 502, r.status)
		assert.Len(t, r.body, 1<<10)
	})
	t.Run("bindingTimeoutMs", func(t *testing.T) { // V93
		m, _ := front(t, "bindingTimeoutMs: 50", "", saying("ok"))
		// An address that nobody answers at: connecting takes longer than that.
		r := do(t, get(m.url("one")+"/", "Host: a", "L5d-Dtab: /svc => /$/inet/192.0.2.1/1"))
		assert.Equal(t, 502, r.status, r.body)
	})
}

// persistent is a connection of a caller that makes several requests.
type persistent struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, m *mesh) *persistent {
	t.Helper()
	c, err := net.Dial("tcp", m.addrs.Servers["one"][0])
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(limit)))
	return &persistent{c, bufio.NewReader(c)}
}

func (p *persistent) get(t *testing.T, path string) *http.Response {
	t.Helper()
	_, err := fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
	require.NoError(t, err)
	resp, err := http.ReadResponse(p.r, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp
}

// closed waits until the other side has closed the connection.
func (p *persistent) closed(t *testing.T) {
	t.Helper()
	_, err := p.r.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

func TestServerSessions(t *testing.T) { // V80
	count := func(t *testing.T, m *mesh, name string) float64 {
		t.Helper()
		return m.counter(t, "rt/one/server/127.0.0.1/0/"+name)
	}
	t.Run("idle", func(t *testing.T) {
		m, _ := front(t, "", "serverSession: {idleTimeMs: 150, lifeTimeMs: 60000}", saying("ok"))
		c := dial(t, m)
		c.get(t, "/")
		c.get(t, "/")
		c.closed(t)
		eventually(t, func() bool { return count(t, m, "connections") == 0 }, "still counted")
		assert.Equal(t, 1.0, count(t, m, "idle"))
		assert.Zero(t, count(t, m, "lifetime"))
	})
	t.Run("idle before the first request", func(t *testing.T) {
		m, _ := front(t, "", "serverSession: {idleTimeMs: 100}", saying("ok"))
		dial(t, m).closed(t)
		eventually(t, func() bool { return count(t, m, "idle") == 1 }, "not counted")
	})
	t.Run("lifetime", func(t *testing.T) {
		m, _ := front(t, "", "serverSession: {idleTimeMs: 60000, lifeTimeMs: 150}", saying("ok"))
		c := dial(t, m)
		c.get(t, "/")
		c.closed(t)
		eventually(t, func() bool { return count(t, m, "connections") == 0 }, "still counted")
		assert.Equal(t, 1.0, count(t, m, "lifetime"))
		assert.Zero(t, count(t, m, "idle"))
	})
	t.Run("lifetime ends after the request under way", func(t *testing.T) {
		var m *mesh
		var once sync.Once
		expired := make(chan struct{})
		m, _ = front(t, "", "serverSession: {lifeTimeMs: 50}", func(http.ResponseWriter, *http.Request) {
			once.Do(func() { time.AfterFunc(200*time.Millisecond, func() { close(expired) }) })
			<-expired
		})
		c := dial(t, m)
		resp := c.get(t, "/")
		assert.Equal(t, 200, resp.StatusCode)
		assert.True(t, resp.Close, "the response says that it is the last")
		c.closed(t)
		eventually(t, func() bool { return count(t, m, "lifetime") == 1 }, "not counted")
	})
	t.Run("without", func(t *testing.T) {
		m, _ := front(t, "", "clearContext: false", saying("ok"))
		c := dial(t, m)
		for range 3 {
			assert.False(t, c.get(t, "/").Close)
		}
		assert.Equal(t, 1.0, count(t, m, "connections"))
		assert.Equal(t, 1.0, count(t, m, "connects"))
		assert.Positive(t, count(t, m, "received_bytes"))
		assert.Positive(t, count(t, m, "sent_bytes"))
	})
}

func TestClientSessions(t *testing.T) { // V79
	for name, client := range map[string]string{
		"global": "client: {clientSession: {idleTimeMs: 150}}",
		"static": "client: {kind: io.l5d.static, configs: [{prefix: /*, clientSession: {idleTimeMs: 150}}]}",
	} {
		t.Run(name, func(t *testing.T) {
			m, e := front(t, client, "", saying("ok"))
			_, port, _ := strings.Cut(e.addr, ":")
			open := func() float64 { return m.counter(t, "rt/one/client/$/inet/127.1/"+port+"/connections") }
			do(t, get(m.url("one")+"/", "Host: a"))
			eventually(t, func() bool { return open() == 0 }, "the connection is kept")
			assert.Equal(t, 200, do(t, get(m.url("one")+"/", "Host: a")).status)
		})
	}
}
