package e2e_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// overwrite truncates a file and writes it in two pieces, as some editors do.
func overwrite(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	half := len(text) / 2
	_, err = f.WriteString(text[:half])
	require.NoError(t, err)
	_, err = f.WriteString(text[half:])
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestRewritingEndpointsFailsNobody(t *testing.T) {
	for name, rewrite := range map[string]func(*testing.T, string, string){"renamed": write, "in place": overwrite} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := dir + "/disco/web"
			var all []*endpoint
			for i := range 6 {
				all = append(all, endpointAt(t, "127.0.0.1:0", saying(fmt.Sprint(i))))
			}
			lines := func(of ...*endpoint) string {
				var b strings.Builder
				for _, e := range of {
					b.WriteString(e.line())
				}
				return b.String()
			}
			write(t, file, lines(all[:5]...))
			m := serveIn(t, dir, five)
			l := startLoad(t, pooled(t), 1000, func(int) call { return get(m.url("http")+"/", "Host: web") })
			l.until(t, 300)
			// Each endpoint in turn gives its place to the one that was left out.
			set, out := slices.Clone(all[:5]), all[5]
			for i := range 10 {
				at := i % len(set)
				set[at], out = out, set[at]
				joined, left := set[at], out
				n := len(joined.requests())
				rewrite(t, file, lines(set...))
				eventually(t, func() bool { return len(joined.requests()) > n+3 }, "a new endpoint gets nothing")
				n = len(left.requests())
				l.more(t, 100)
				assert.LessOrEqual(t, len(left.requests())-n, 20, "a removed endpoint still gets requests")
			}
			l.mustNotFail(t)
		})
	}
}

func TestChangingTheDtabFailsNobody(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		write(t, dir+"/disco/"+name, endpointAt(t, "127.0.0.1:0", saying(name)).line())
	}
	write(t, dir+"/dtab", "/svc => /#/io.l5d.fs; /svc/web => /#/io.l5d.fs/a")
	m := serveIn(t, dir, `
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: '${dir}/disco'}]
routers:
- protocol: http
  interpreter: {kind: io.l5d.fs, dtabFile: '${dir}/dtab'}
  servers: [{port: 0}]
`)
	web := get(m.url("http")+"/", "Host: web")
	l := startLoad(t, pooled(t), 500, func(int) call { return web })
	l.until(t, 300)
	client := pooled(t)
	answer := func() string {
		r, err := web.with(client)
		require.NoError(t, err)
		return r.body
	}
	var took []time.Duration
	for i := range 20 {
		want := string("ba"[i%2])
		change := write
		if i%4 >= 2 {
			change = overwrite
		}
		change(t, dir+"/dtab", "/svc => /#/io.l5d.fs; /svc/web => /#/io.l5d.fs/"+want)
		begin := time.Now()
		eventually(t, func() bool { return answer() == want }, "the change does not arrive")
		took = append(took, time.Since(begin))
		l.more(t, 50)
	}
	l.mustNotFail(t)
	slices.Sort(took)
	request := l.percentile(0.5, 0, l.count())
	t.Logf("a change arrives within %v (quarter), %v (median), %v (slowest); a request takes %v", took[len(took)/4], took[len(took)/2], took[len(took)-1], request)
	// What it takes beyond the request that sees it. On a machine that other tests keep
	// busy, whole changes wait for a processor: the faster ones tell.
	assert.Less(t, took[len(took)/4]-request, 100*time.Millisecond)
}
