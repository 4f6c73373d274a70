package realclients_test

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/testtool"
)

func TestWrk(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	w := newWorld(t, child.Router{}, child.Router{Label: "tls", Server: "tls"})
	for _, row := range [][3]string{
		{"http", "http", "/"},
		{"http", "http", "/pattern?seed=1&size=20000&unsized=1"},
		{"tls", "https", "/pattern?seed=1&size=20000"},
	} {
		out, stderr, err := command(t, testtool.Installed(t, "wrk", "wrk"), "-t1", "-c24", "-d1s", "-H", "Host: web", row[1]+"://"+w.weft.Addr(t, row[0])+row[2])
		require.NoError(t, err, out+stderr)
		assert.Greater(t, number(t, `(\d+) requests in`, out), 100, out)
		assert.NotContains(t, out, "Non-2xx or 3xx responses")
		assert.NotContains(t, out, "Socket errors", out)
	}
}

func TestH2load(t *testing.T) {
	child.Heavy(t)
	t.Parallel()
	tool := testtool.Installed(t, "h2load", "nghttp2-client")
	w := newWorld(t, child.Router{}, child.Router{Protocol: "h2"}, child.Router{Protocol: "h2", Label: "tls", Server: "tls"})
	rows := []struct {
		name, label, scheme string
		args                []string
	}{
		{"HTTP/1.1", "http", "http", []string{"--h1"}},
		{"HTTP/2 at an http router", "http", "http", nil},
		{"HTTP/2", "h2", "http", nil},
		{"TLS", "tls", "https", nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, path := range []string{"/", "/pattern?seed=1&size=20000"} {
				const n = "2000"
				all := append([]string{"-n", n, "-c", "8", "-m", "16", "-t", "1"}, row.args...)
				out, stderr, err := command(t, tool, append(all, row.scheme+"://"+w.weft.Addr(t, row.label)+path)...)
				require.NoError(t, err, stderr)
				assert.Contains(t, out, "requests: "+n+" total, "+n+" started, "+n+" done, "+n+" succeeded, 0 failed, 0 errored, 0 timeout")
				assert.Contains(t, out, "status codes: "+n+" 2xx, 0 3xx, 0 4xx, 0 5xx")
			}
			d := body(t, upload())
			all := append([]string{"-n", "64", "-c", "4", "-m", "4", "-t", "1", "-d", d}, row.args...)
			out, stderr, err := command(t, tool, append(all, row.scheme+"://"+w.weft.Addr(t, row.label)+checkURL)...)
			require.NoError(t, err, stderr)
			assert.Contains(t, out, "status codes: 64 2xx", "uploads")
		})
	}
}

func number(t *testing.T, pattern, text string) int {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, m, text)
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}
