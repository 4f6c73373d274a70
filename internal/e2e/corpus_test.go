package e2e_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
)

const edge = "http://127.0.0.1:4140"

// examples are where the published configurations say they are.
const examples = "linkerd/examples/"

func TestGettingStarted(t *testing.T) {
	portlock.Acquire(t, 4140, 9990)
	dir := lay(t, "getting-started")
	hello := endpointAt(t, "127.0.0.1:0", saying("Hello"))
	write(t, filepath.Join(dir, "disco", "hello"), hello.line())
	p := run(t, dir, "linkerd.yaml")

	r := do(t, get(edge+"/some/path?q=1", "Host: hello")) // V1, V2
	assert.Equal(t, "Hello", r.body)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, "1.0", r.header.Get("L5d-Success-Class"))
	assert.Equal(t, "1.1 linkerd", r.header.Get("Via"))
	seen := hello.last(t)
	assert.Equal(t, "/some/path?q=1", seen.RequestURI)
	assert.Equal(t, "hello", seen.Host)
	assert.Equal(t, "/svc/hello", seen.Header.Get("L5d-Dst-Service"))
	assert.Equal(t, "/#/io.l5d.fs/hello", seen.Header.Get("L5d-Dst-Client"))

	r = do(t, get(edge+"/", "Host: ralph-machio")) // V3
	assert.Equal(t, 502, r.status)
	assert.NotEmpty(t, r.header.Get("L5d-Err"))
	assert.Equal(t, "Unable to route request!\n\nservice name: /svc/ralph-machio\ndtab:\n\nbase dtab:\n  /svc => /#/io.l5d.fs\noverride dtab:\n\n", r.body)

	world := endpointAt(t, "127.0.0.1:0", saying("World"))
	write(t, filepath.Join(dir, "disco", "world"), world.line())
	p.eventually(t, limit, func() bool { return do(t, get(edge+"/", "Host: world")).body == "World" }, "a new name is not found")
}

func TestHTTPExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8888, 9990)
	dir := lay(t, "corpus")
	text := strings.Repeat("compress me ", 1000)
	dog := endpointAt(t, "127.0.0.1:8888", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream") // level 9 compresses all types
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = io.WriteString(w, text)
	})
	p := run(t, dir, examples+"http.yaml")

	r := do(t, get(edge+"/big", "L5d-Name: /dog", "Host: monkeys", "User-Agent: tester"))
	require.Equal(t, 200, r.status, r.body)
	assert.Equal(t, text, r.body)
	assert.Equal(t, []string{`by="127.0.0.1:4140";for=127.0.0.1;host=monkeys`}, dog.last(t).Header["Forwarded"])
	assert.Equal(t, "/svc/dog", dog.last(t).Header.Get("L5d-Dst-Service"))

	r = do(t, get(edge+"/zip", "L5d-Name: /dog", "Accept-Encoding: gzip"))
	assert.Equal(t, "gzip", r.header.Get("Content-Encoding"))
	zr, err := gzip.NewReader(strings.NewReader(r.body))
	require.NoError(t, err)
	unzipped, err := io.ReadAll(zr)
	require.NoError(t, err)
	assert.Equal(t, text, string(unzipped))
	assert.Less(t, len(r.body), len(text)/4)

	assert.Equal(t, 400, do(t, get(edge+"/", "Host: dog")).status, "no l5d-name header") // V15
	pad := func(kb int) string { return strings.Repeat("x", kb<<10) }
	assert.Equal(t, 200, do(t, get(edge+"/", "L5d-Name: /dog", "X-Pad: "+pad(12))).status)
	assert.Equal(t, 431, do(t, get(edge+"/", "L5d-Name: /dog", "X-Pad: "+pad(17))).status)
	assert.Equal(t, 431, do(t, get(edge+"/", "L5d-Name: /dog", "X-Pad: "+pad(500))).status)
	assert.Equal(t, 200, do(t, get(edge+"/?"+pad(12), "L5d-Name: /dog")).status)
	assert.Equal(t, 414, do(t, get(edge+"/?"+pad(17), "L5d-Name: /dog")).status)
	assert.Equal(t, 414, do(t, get(edge+"/?"+pad(500), "L5d-Name: /dog")).status)

	var lines []string
	p.eventually(t, limit, func() bool {
		lines = linesOf(t, filepath.Join(dir, "logs", "access.log"))
		return len(lines) == 4
	}, "no access log")
	assert.Regexp(t, `^monkeys 127\.0\.0\.1 - - \[\d\d/\d\d/\d{4}:\d\d:\d\d:\d\d \w+\] "GET /big HTTP/1\.1" 200 `+fmt.Sprint(len(text))+` "-" "tester"$`, lines[0])
}

func TestFSExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8888, 9990, 9999)
	dir := lay(t, "corpus")
	endpointAt(t, "127.0.0.1:9999", saying("from the dtab"))
	endpointAt(t, "127.0.0.1:8888", saying("dog"))
	p := run(t, dir, examples+"fs.yaml")
	answers := func(text string) func() bool {
		return func() bool { return do(t, get(edge+"/", "Host: whatever")).body == text }
	}
	p.eventually(t, limit, answers("from the dtab"), "the dtab of the file is not used")

	write(t, filepath.Join(dir, examples, "example.dtab"), "/svc/* => /#/io.l5d.fs/dog;\n")
	p.eventually(t, limit, answers("dog"), "a changed dtab is not used")
	// Editors that write in place, too; what is not a dtab changes nothing.
	require.NoError(t, os.WriteFile(filepath.Join(dir, examples, "example.dtab"), []byte("/svc/* => nonsense"), 0o644))
	require.Equal(t, "dog", do(t, get(edge+"/", "Host: whatever")).body)
	require.NoError(t, os.WriteFile(filepath.Join(dir, examples, "example.dtab"), []byte("/svc/* => /$/inet/127.1/9999;"), 0o644))
	p.eventually(t, limit, answers("from the dtab"), "a dtab that is written in place is not used")
}

func TestStaticNamerExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8080, 9990)
	dir := lay(t, "corpus")
	e := endpointAt(t, "127.0.0.1:8080", saying("localhost"))
	run(t, dir, examples+"static_namer.yaml")
	for _, host := range []string{"a", "b.example:81"} {
		r := do(t, get(edge+"/", "Host: "+host))
		require.Equal(t, 200, r.status, r.body)
		assert.Equal(t, "localhost", r.body)
		assert.Equal(t, "/$/inet/localhost/8080", e.last(t).Header.Get("L5d-Dst-Client"))
		assert.Equal(t, host, e.last(t).Host)
	}
}

func TestLoadBalancerExample(t *testing.T) {
	portlock.Acquire(t, 4140, 8888, 9990)
	dir := lay(t, "corpus")
	first := endpointAt(t, "127.0.0.1:8888", saying("first"))
	second := endpointAt(t, "127.0.0.1:0", saying("second"))
	run(t, dir, examples+"loadbalancer.yaml")
	require.Equal(t, "first", do(t, get(edge+"/", "Host: dog")).body)

	write(t, filepath.Join(dir, examples, "io.l5d.fs", "cat"), first.line()+second.line())
	for range 200 {
		require.Equal(t, 200, do(t, get(edge+"/", "Host: cat")).status)
	}
	assert.Greater(t, len(second.requests()), 50, "p2c over two endpoints")
	assert.Greater(t, len(first.requests()), 50)
}

func TestAccessLogsExample(t *testing.T) {
	portlock.Acquire(t, 4140, 4141, 9990)
	dir := lay(t, "corpus")
	p := run(t, dir, examples+"access-logs.yaml")
	r := do(t, get("http://localhost:4140/admin/ping?hops=2"))
	require.Equal(t, 200, r.status, r.body)
	require.Equal(t, "pong", r.body)
	assert.Equal(t, "1.1 linkerd, 1.1 linkerd", r.header.Get("Via"))
	require.Equal(t, 200, do(t, get("http://127.0.0.1:4141/admin/ping?hops=1")).status)

	logs := func(name string) []string { return linesOf(t, filepath.Join(dir, "logs", name)) }
	p.eventually(t, limit, func() bool { return len(logs("access1.log")) == 1 && len(logs("access2.log")) == 2 }, "missing lines")
	assert.Contains(t, logs("access1.log")[0], `"GET /admin/ping?hops=2 HTTP/1.1" 200 4 `) // V83
	assert.Contains(t, logs("access2.log")[1], `"GET /admin/ping?hops=1 HTTP/1.1" 200 4 `)

	recent := do(t, get("http://127.0.0.1:9990/requests")) // sampleRate 1.0
	assert.Equal(t, 200, recent.status)
	assert.Contains(t, recent.body, "linkerd1")
	assert.Contains(t, recent.body, "linkerd2")
}

func TestProxyExample(t *testing.T) {
	portlock.Acquire(t, 4140, 9990)
	dir := lay(t, "corpus")
	e := endpointAt(t, "127.0.0.1:0", saying("proxied"))
	run(t, dir, examples+"proxy.yaml")
	_, port, _ := strings.Cut(e.addr, ":")

	for _, host := range []string{"localhost:" + port, "127.0.0.1:" + port} {
		r := do(t, get(edge+"/x", "Host: "+host))
		require.Equal(t, 200, r.status, r.body)
		assert.Equal(t, "proxied", r.body)
		name, _, _ := strings.Cut(host, ":")
		assert.Equal(t, "/$/io.buoyant.rinet/"+port+"/"+name, e.last(t).Header.Get("L5d-Dst-Client"))
		assert.Equal(t, host, e.last(t).Host)
	}
	// As callers with http_proxy set do it: the URI is absolute (V36 to V38).
	through := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:4140"}),
	}}
	r, err := get("http://localhost:" + port + "/foo?x=R%26D").with(through)
	require.NoError(t, err)
	require.Equal(t, 200, r.status, r.body)
	assert.Equal(t, "/foo?x=R%26D", e.last(t).RequestURI)
	assert.Equal(t, "localhost:"+port, e.last(t).Host)
}

// linesOf returns the lines of a file, none if there is no file yet.
func linesOf(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}
