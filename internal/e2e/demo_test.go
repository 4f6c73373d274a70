package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
)

func TestDemo(t *testing.T) {
	portlock.Acquire(t, 4140, 4141, 4180, 9990, 9991)
	_, err := binary() // whose building takes its time
	require.NoError(t, err)
	begin := time.Now()
	p := start(t, t.TempDir(), nil, "demo")
	printed := func(pattern string) []string {
		return regexp.MustCompile(pattern).FindStringSubmatch(p.stdout.String())
	}
	p.eventually(t, 5*time.Second, func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C") }, "nothing is printed")

	// What the printed commands do, with the same words.
	hello := printed(`(?m)^  http_proxy=(\S+) curl (http://hello)$`)
	require.NotNil(t, hello, p.stdout)
	require.Equal(t, "127.0.0.1:4140", hello[1])
	through := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: hello[1]})}}
	t.Cleanup(through.CloseIdleConnections)
	r, err := get(hello[2]).with(through)
	require.NoError(t, err)
	require.Equal(t, 200, r.status, r.body)
	assert.Equal(t, "Hello world!\n", r.body)
	assert.Less(t, time.Since(begin), 5*time.Second)

	override := printed(`curl -H '(l5d-dtab: [^']+)' (http://hello)`)
	require.NotNil(t, override, p.stdout)
	for range 10 {
		r, err = get(override[2], override[1]).with(through)
		require.NoError(t, err)
		require.Equal(t, "Hello world, version 2!\n", r.body)
		r, err = get(hello[2]).with(through)
		require.NoError(t, err)
		require.Equal(t, "Hello world!\n", r.body, "nobody else is overridden")
	}

	shift := printed(`(?m)^  (curl -X PUT .*)$`)
	require.NotNil(t, shift, p.stdout)
	l := startLoad(t, through, 200, func(int) call { return get(hello[2]) })
	l.until(t, 20)
	out, err := exec.Command("sh", "-c", shift[1]+" -sSf").CombinedOutput()
	require.NoError(t, err, "%s", out)
	p.eventually(t, limit, func() bool {
		r, err := get(hello[2]).with(through)
		require.NoError(t, err)
		return strings.Contains(r.body, "version 2")
	}, "no traffic is shifted")
	v2, n := 0, 1000
	for range n {
		r, err := get(hello[2]).with(through)
		require.NoError(t, err)
		require.Equal(t, 200, r.status)
		if strings.Contains(r.body, "version 2") {
			v2++
		}
	}
	l.mustNotFail(t)
	// Six standard deviations around 10 %.
	assert.InDelta(t, 100, v2, 57, "%d of %d requests reached world-v2", v2, n)

	// The dashboard, metrics and explanations that it names.
	page := printed(`dashboard (http://\S+/), metrics (http://\S+)\n`)
	require.NotNil(t, page, p.stdout)
	assert.Equal(t, 200, do(t, get(page[1])).status)
	assert.Contains(t, do(t, get(page[2])).body, "rt/outgoing/server/127.0.0.1/4140/requests")
	explain := printed(`(?m)^  weft (explain \S+ / -H 'Host: world' --router incoming)$`)
	require.NotNil(t, explain, p.stdout)
	bin, err := binary()
	require.NoError(t, err)
	out, err = exec.Command("sh", "-c", bin+" "+explain[1]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "world-v2")

	// The editors of the rules.
	editor := printed(`(?m)^  (http://\S+/dtab/default)$`)
	require.NotNil(t, editor, p.stdout)
	assert.Equal(t, 200, do(t, get(editor[1])).status)
	edit := printed(`(?m)^  weft (dtab edit default --base-url \S+)$`)
	require.NotNil(t, edit, p.stdout)
	out, err = exec.Command("sh", "-c", "EDITOR=\"sed -i '/world-v2/d'\" "+bin+" "+edit[1]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	p.eventually(t, limit, func() bool { return !strings.Contains(do(t, get(editor[1])).body, "world-v2") }, "the rule is still there")

	// What starts viz, which scrapes the demo where it is.
	compose := printed(`(?m)^  docker compose -f (\S+) up$`)
	require.NotNil(t, compose, p.stdout)
	assert.Contains(t, readFile(t, "../../"+compose[1]), "/etc/prometheus/config/static.yml")
	assert.Contains(t, readFile(t, vizDir+"prometheus/static.yml"), "'localhost:9990'")

	written := strings.Fields(explain[1])[1]
	assert.NotEmpty(t, readFile(t, written))
	p.signal(t, syscall.SIGTERM)
	require.NoError(t, p.wait(t))
	_, err = os.Stat(written)
	assert.ErrorIs(t, err, os.ErrNotExist, "the temporary directory goes with the demo")
}
