package realclients_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/testtool"
)

// web is the service that is asked for, upload and download what is moved.
const web = "web.test"

func upload() origin.Pattern   { return origin.Pattern{Seed: 11, Size: 3<<20 + 5} }
func download() origin.Pattern { return origin.Pattern{Seed: 12, Size: 3<<20 + 9} }

const (
	checkURL   = "/check?seed=11&size=3145733"
	patternURL = "/pattern?seed=12&size=3145737"
)

// curl asks for path at a server of the proxy under the name of the service, and
// returns the body and what curl says of the exchange: protocol, status and number of
// connections, of each request.
func curl(t *testing.T, scheme, addr, path string, args ...string) (text, verbose string, notes []string) {
	t.Helper()
	url := scheme + "://" + web + path
	all := append([]string{"-sS", "-v", "--max-time", "50", "--connect-to", "::" + addr, "-w", "%{stderr}\nNOTE %{http_version} %{http_code} %{num_connects}\n"}, args...)
	stdout, stderr, err := command(t, testtool.Installed(t, "curl", "curl"), append(all, url)...)
	require.NoError(t, err, stderr)
	for line := range strings.Lines(stderr) {
		if note, ok := strings.CutPrefix(strings.TrimSpace(line), "NOTE "); ok {
			notes = append(notes, note)
		}
	}
	return stdout, stderr, notes
}

// seenBy is what the origin saw.
func seenBy(t *testing.T, text string) (s origin.Seen) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &s), text)
	return s
}

// exchanges are what works alike with every protocol.
func exchanges(t *testing.T, scheme, addr, version string, args ...string) {
	t.Helper()
	with := func(more ...string) []string { return append(append([]string{}, args...), more...) }
	t.Run("get", func(t *testing.T) {
		text, _, notes := curl(t, scheme, addr, "/seen?a=b%20c", with("-H", "X-Mine: one", "-H", "X-Mine: two")...)
		assert.Equal(t, []string{version + " 200 1"}, notes)
		s := seenBy(t, text)
		assert.Equal(t, "GET", s.Method)
		assert.Equal(t, web, s.Host)
		assert.Equal(t, "/seen?a=b%20c", s.URI)
		assert.Equal(t, []string{"one", "two"}, s.Header["X-Mine"])
		assert.NotEmpty(t, s.Header.Get("l5d-dst-service"), "it did not go through weft")
	})
	t.Run("head", func(t *testing.T) {
		text, _, notes := curl(t, scheme, addr, patternURL, with("-I")...)
		assert.Equal(t, []string{version + " 200 1"}, notes)
		assert.Contains(t, strings.ToLower(text), "content-length: 3145737\r\n")
	})
	t.Run("download", func(t *testing.T) {
		for _, opts := range []string{"", "&unsized=1&chunk=5000"} {
			text, _, notes := curl(t, scheme, addr, patternURL+opts, args...)
			assert.Equal(t, []string{version + " 200 1"}, notes)
			assert.True(t, bytes.Equal(download().Bytes(), []byte(text)), "the body is another")
		}
	})
	t.Run("upload", func(t *testing.T) {
		file := body(t, upload())
		for name, more := range map[string][]string{
			"POST": {"--data-binary", "@" + file},
			"PUT":  {"-T", file},
			"slow": {"--data-binary", "@" + file, "--limit-rate", "12M"},
		} {
			text, _, notes := curl(t, scheme, addr, checkURL, with(more...)...)
			assert.Equal(t, []string{version + " 200 1"}, notes, "%s: %s", name, text)
		}
		text, _, _ := curl(t, scheme, addr, "/check?seed=10&size=3145733", with("-T", file)...)
		assert.Contains(t, text, "wrong bytes", "the origin would not tell")
	})
	t.Run("refused upload", func(t *testing.T) {
		if version == "2" {
			t.Skip("curl 7.88 takes RST_STREAM NO_ERROR behind a whole response for an error")
		}
		// The answer comes while the body is being sent, and must not be lost over it.
		for range 3 {
			text, _, notes := curl(t, scheme, addr, "/refuse", with("-H", "Expect:", "--data-binary", "@"+body(t, upload()))...)
			assert.Equal(t, []string{version + " 413 1"}, notes)
			assert.Equal(t, "too much\n", text)
		}
	})
	t.Run("form", func(t *testing.T) {
		text, _, _ := curl(t, scheme, addr, "/seen", with("-F", "name=value", "-F", "file=@"+body(t, origin.Pattern{Size: 100}))...)
		s := seenBy(t, text)
		assert.Contains(t, s.Header.Get("Content-Type"), "multipart/form-data; boundary=")
		assert.Contains(t, s.Body, `name="name"`)
	})
	if slices.Contains(args, "--http2-prior-knowledge") {
		return // curl 7.88 cannot use such a connection twice, whatever the server
	}
	t.Run("keep-alive", func(t *testing.T) {
		other := scheme + "://" + web + "/else"
		text, _, notes := curl(t, scheme, addr, "/last", with(other, other)...)
		assert.Equal(t, 3, strings.Count(text, "ok, GET of /"), text)
		if version != "1" {
			assert.Equal(t, []string{version + " 200 1", version + " 200 0", version + " 200 0"}, notes)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		dir := t.TempDir()
		more := []string{"--parallel"}
		for i := range 20 {
			more = append(more, "-o", filepath.Join(dir, strconv.Itoa(i)), scheme+"://"+web+patternURL)
		}
		_, _, notes := curl(t, scheme, addr, patternURL, with(append(more, "-o", filepath.Join(dir, "last"))...)...)
		assert.Len(t, notes, 21)
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		assert.Len(t, files, 21)
		for _, f := range files {
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(download().Bytes(), text), "the body is another")
		}
	})
}

func TestCurlHTTP1(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	w := newWorld(t, child.Router{}, child.Router{Label: "tls", Server: "tls"}, child.Router{Label: "tls-tls", To: "secured", Server: "tls", Client: "tls"})
	t.Run("HTTP/1.1", func(t *testing.T) {
		exchanges(t, "http", w.weft.Addr(t, "http"), "1.1", "--http1.1")
	})
	t.Run("HTTP/1.0", func(t *testing.T) {
		exchanges(t, "http", w.weft.Addr(t, "http"), "1", "--http1.0")
	})
	t.Run("TLS", func(t *testing.T) {
		exchanges(t, "https", w.weft.Addr(t, "tls"), "1.1", "--http1.1", "--insecure")
	})
	t.Run("TLS on both sides", func(t *testing.T) {
		exchanges(t, "https", w.weft.Addr(t, "tls-tls"), "1.1", "--http1.1", "--insecure")
	})
	addr := w.weft.Addr(t, "http")
	t.Run("verified", func(t *testing.T) {
		url := "https://" + serverName + "/"
		_, stderr, err := command(t, testtool.Installed(t, "curl", "curl"), "-sS", "--cacert", w.files.CA, "--connect-to", "::"+w.weft.Addr(t, "tls"), url)
		require.NoError(t, err, stderr)
	})
	t.Run("chunked upload", func(t *testing.T) {
		text, verbose, notes := curl(t, "http", addr, checkURL, "--http1.1", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "--data-binary", "@"+body(t, upload()))
		assert.Equal(t, []string{"1.1 200 1"}, notes, text)
		assert.NotContains(t, verbose, "> Content-Length")
	})
	t.Run("Expect: 100-continue", func(t *testing.T) {
		for _, more := range [][]string{{}, {"-H", "Transfer-Encoding: chunked"}} {
			text, verbose, notes := curl(t, "http", addr, checkURL, append(more, "--expect100-timeout", "40", "-H", "Expect: 100-continue", "--data-binary", "@"+body(t, upload()))...)
			assert.Equal(t, []string{"1.1 200 1"}, notes, text)
			assert.Contains(t, verbose, "< HTTP/1.1 100 Continue")
		}
	})
	t.Run("proxy", func(t *testing.T) {
		proxied := func(more ...string) (string, []string) {
			all := append([]string{"-sS", "-x", "http://" + addr}, more...)
			stdout, stderr, err := command(t, testtool.Installed(t, "curl", "curl"), append(all, "http://"+web+"/seen?x=y")...)
			require.NoError(t, err, stderr)
			s := seenBy(t, stdout)
			return s.URI, []string{s.Host}
		}
		uri, host := proxied()
		assert.Equal(t, "/seen?x=y", uri)
		assert.Equal(t, []string{web}, host)
		uri, host = proxied("--proxytunnel")
		assert.Equal(t, "/seen?x=y", uri)
		assert.Equal(t, []string{web}, host)
	})
}

func TestCurlHTTP2(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	routers := []child.Router{
		{Protocol: "h2"},
		{Protocol: "h2", Label: "tls", Server: "tls"},
		{Protocol: "h2", Label: "tls-tls", To: "secured", Server: "tls", Client: "tls"},
		{Protocol: "http", Label: "both"}, // serves HTTP/2 callers as well
		{Protocol: "http", Label: "both-tls", Server: "tls"},
	}
	w := newWorld(t, routers...)
	for _, label := range []string{"h2", "both"} {
		t.Run(label+" prior knowledge", func(t *testing.T) {
			exchanges(t, "http", w.weft.Addr(t, label), "2", "--http2-prior-knowledge")
		})
	}
	for _, label := range []string{"tls", "tls-tls", "both-tls"} {
		t.Run(label+" ALPN", func(t *testing.T) {
			exchanges(t, "https", w.weft.Addr(t, label), "2", "--http2", "--insecure")
		})
	}
	t.Run("h2 upgrade", func(t *testing.T) {
		addr := w.weft.Addr(t, "h2")
		// curl 7.88 fails if more than 32 KiB come with the 101.
		const small = "/pattern?seed=12&size=20000"
		text, verbose, notes := curl(t, "http", addr, small, "--http2")
		assert.Contains(t, verbose, "< HTTP/1.1 101 Switching Protocols")
		assert.Equal(t, []string{"2 200 1"}, notes)
		assert.True(t, bytes.Equal(origin.Pattern{Seed: 12, Size: 20000}.Bytes(), []byte(text)), "the body is another")
		_, _, notes = curl(t, "http", addr, "/last", "--http2", "http://"+web+"/first")
		assert.Equal(t, []string{"2 200 1", "2 200 0"}, notes)
		text, _, notes = curl(t, "http", addr, "/seen", "--http2", "-d", "a=b")
		assert.Equal(t, []string{"2 200 1"}, notes)
		assert.Equal(t, "a=b", seenBy(t, text).Body)
	})
}
