package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// live is a running proxy, and a service behind it.
type live struct {
	proxy        *proxy.Proxy
	admin, entry string
	backend      string
	ended        chan error
	stop         context.CancelFunc
}

func newLive(t *testing.T) *live {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(s.Close)
	host, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte(host+" "+port+"\n"), 0o600))
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("test.yml", []byte(`
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: "`+dir+`"}]
routers:
- protocol: http
  label: in
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: 0}]
`), config.Options{Registry: reg})
	require.NoError(t, err)
	var f logFlags
	levels, logger, err := f.logger(io.Discard)
	require.NoError(t, err)
	l := &live{backend: host + ":" + port, ended: make(chan error, 1)}
	l.proxy, err = proxy.New(cfg, proxy.Options{Levels: levels, Logger: logger})
	require.NoError(t, err)
	addrs, err := l.proxy.Start()
	require.NoError(t, err)
	l.admin, l.entry = addrs.Admin, addrs.Servers["in"][0]
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() { l.ended <- l.proxy.Wait(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-l.ended)
	})
	return l
}

// get sends a request through the proxy.
func (l *live) get(t *testing.T, path, host string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.entry+path, nil)
	require.NoError(t, err)
	req.Host = host
	req.Header.Set("Authorization", "Bearer hunter2")
	req.Header.Set("X-Who", "me")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// command runs a command line to its end.
func command(ctx context.Context, args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = run(ctx, args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

// watching makes requests until a tap that was begun has ended by its limit.
func (l *live) watching(t *testing.T, request func(), args ...string) (out, errs string) {
	t.Helper()
	done := make(chan struct{})
	var status int
	go func() {
		defer close(done)
		status, out, errs = command(t.Context(), append([]string{"tap", "--admin", l.admin}, args...)...)
	}()
	for {
		request()
		select {
		case <-done:
			require.Zero(t, status, errs)
			return out, errs
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestTapShowsARequest(t *testing.T) {
	l := newLive(t)
	both := func() {
		l.get(t, "/good?x=1&token=hunter2", "web")
		l.get(t, "/bad", "web")
		l.get(t, "/", "nobody")
	}
	out, _ := l.watching(t, both, "--limit", "1", "--json", "--path", "/good", "-H", "x-who: me", "--status", "2xx", "--method", "get", "--service", "/svc/web")
	assert.NotContains(t, out, "hunter2")
	var e map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &e))
	assert.Positive(t, e["latencyMs"])
	assert.NotEmpty(t, e["time"])
	assert.Len(t, e["trace"], 16)
	assert.Equal(t, "me", e["requestHeaders"].(map[string]any)["X-Who"])
	assert.Equal(t, "(redacted)", e["requestHeaders"].(map[string]any)["Authorization"])
	assert.Contains(t, e["peer"], "127.0.0.1:")
	for _, k := range []string{"latencyMs", "time", "trace", "requestHeaders", "peer"} {
		delete(e, k)
	}
	assert.Equal(t, map[string]any{
		"router": "in", "server": l.entry, "protocol": "HTTP/1.1", "method": "GET", "host": "web", "path": "/good?x=1&token=(redacted)",
		"service": "/svc/web", "client": "/#/io.l5d.fs/web", "endpoint": l.backend, "attempts": 1.0, "status": 200.0, "class": "success",
		"error": "", "requestBytes": 0.0, "responseBytes": 5.0,
	}, e)

	out, _ = l.watching(t, both, "--limit=1", "--status=503")
	assert.Contains(t, out, "-> [in] GET web /bad = 503 failure ")
	assert.Contains(t, out, "| /svc/web -> /#/io.l5d.fs/web -> "+l.backend)
	out, _ = l.watching(t, both, "--limit=1", "--service=/svc/nobody")
	assert.Contains(t, out, " = 502 failure ")
	assert.Contains(t, out, "Unable to route request!")
	out, _ = l.watching(t, both, "--limit=3", "--rate=5")
	assert.Equal(t, 3, strings.Count(out, "\n"), out)
}

func TestTapEnds(t *testing.T) {
	l := newLive(t)
	ctx, cancel := context.WithCancel(t.Context())
	watched := func(want bool) { // somebody watches, or nobody
		require.Eventually(t, func() bool {
			w := httptest.NewRecorder()
			l.proxy.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/admin/threads", nil))
			return strings.Contains(w.Body.String(), "admin.(*site).tap") == want
		}, 30*time.Second, 10*time.Millisecond)
	}
	type result struct {
		status int
		errs   string
	}
	ended := make(chan result, 1)
	start := func(ctx context.Context) {
		go func() {
			status, _, errs := command(ctx, "tap", "--admin", l.admin)
			ended <- result{status, errs}
		}()
		watched(true)
	}
	start(ctx)
	cancel() // Ctrl-C
	assert.Equal(t, result{}, <-ended)
	watched(false)

	start(t.Context())
	l.stop()
	assert.Equal(t, result{0, "the proxy at " + l.admin + " has ended\n"}, <-ended)
}

func TestEndpointsCommand(t *testing.T) {
	l := newLive(t)
	l.get(t, "/", "web")
	status, out, errs := command(t.Context(), "endpoints", "--admin", l.admin)
	require.Zero(t, status, errs)
	assert.Contains(t, out, "router in (http)")
	assert.Contains(t, out, "  service /svc/web -> /#/io.l5d.fs/web  pending 0, retrying 0, retry budget 100\n")
	assert.Regexp(t, l.backend+` +1 +open +\S+ +\S.* +0 +1 \(1 idle\) +closed +picked: the only endpoint`, out)
	status, out, errs = command(t.Context(), "endpoints", "--json", "--admin", "http://"+l.admin+"/", "--client", "/#/none")
	require.Zero(t, status, errs)
	assert.JSONEq(t, `{"routers":[{"router":"in","protocol":"http","services":[],"clients":[]}]}`, out)
	status, _, errs = command(t.Context(), "endpoints", "--admin", l.admin, "--router", "out")
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "there is no router out")
}

func TestLogCommand(t *testing.T) {
	l := newLive(t)
	log := func(args ...string) (int, string, string) {
		return command(t.Context(), append([]string{"log", "--admin", l.admin}, args...)...)
	}
	status, out, errs := log()
	require.Zero(t, status, errs)
	for _, name := range []string{"root", "admin", "proxy", "io.l5d.fs", "rt.in", "metrics"} {
		assert.Contains(t, out, "INFO     "+name+"\n")
	}
	status, out, errs = log("io.l5d.fs", "debug")
	require.Zero(t, status, errs)
	assert.Equal(t, "io.l5d.fs: DEBUG\n", out)
	_, out, _ = log()
	assert.Contains(t, out, "DEBUG    io.l5d.fs\n")
	assert.Contains(t, out, "INFO     root\n")
	_, out, _ = log("rt.in")
	assert.Equal(t, "INFO\n", out)
	status, _, errs = log("nobody", "DEBUG")
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "weft: there is no logger nobody: there are admin, ")
	status, _, errs = log("root", "LOUD")
	assert.Equal(t, 1, status)
	assert.Contains(t, errs, "weft: LOUD is no level: want ALL, TRACE, DEBUG, ")
}

func TestLogLevelFlags(t *testing.T) {
	f := logFlags{levels: []string{"WARN", "io.l5d.k8s=DEBUG"}, json: true}
	var out bytes.Buffer
	_, logger, err := f.logger(&out)
	require.NoError(t, err)
	logger.Info("no")
	logger.With("logger", "io.l5d.fs").Info("no")
	logger.With("logger", "io.l5d.k8s").Debug("yes")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line of JSON")
	assert.Equal(t, "io.l5d.k8s", line["logger"])
	assert.Equal(t, "yes", line["msg"])

	assert.Equal(t, []string{"run", "--log-level=DEBUG", "--log-level", "INFO", "-log.levels", "--", "-log.level=X"},
		oldFlags([]string{"run", "-log.level=DEBUG", "-log.level", "INFO", "-log.levels", "--", "-log.level=X"}))
}
