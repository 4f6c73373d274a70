package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/telemetry"
)

// page is an endpoint, its status and type for GET, and a part of its body; is is
// the whole body.
type page struct {
	target      string
	contentType string
	contains    string
	is          string
}

func pages() []page {
	const (
		text     = "text/plain; charset=utf-8"
		html     = "text/html; charset=utf-8"
		json     = "application/json"
		jsonUTF8 = "application/json;charset=UTF-8"
	)
	return []page{
		{target: "/", contentType: html, contains: "linkerd admin"}, // 65
		{target: "/", contentType: html, contains: "1.2.3-test"},    // 65
		{target: "/?router=plain", contentType: html, contains: `data-router="plain"`},
		{target: "/services", contentType: html, contains: `data-grid="services"`},
		{target: "/delegator?router=plain", contentType: html, contains: "/rule"},
		{target: "/logging", contentType: html, contains: "./files/logging.js"},
		{target: "/requests", contentType: html, contains: "2026-01-02T03:04:05.006Z"},
		{target: "/help", contentType: html, contains: "Help"},
		{target: "/files/dashboard.js", contentType: "text/javascript; charset=utf-8", contains: "metrics.json?tree=1"},
		{target: "/admin/files/admin.css", contentType: "text/css; charset=utf-8", contains: "#163f79"},
		{target: "/favicon.ico", contentType: "image/svg+xml", contains: "<svg"},
		{target: "/admin", contentType: text, contains: "/admin/ping\n/admin/pprof/allocs\n/admin/pprof/contention\n"},
		{target: "/admin/index.txt", contentType: text, contains: "/plain/interpreter_state/io.l5d.k8s.configmap.json\n"},
		{target: "/admin/ping", contentType: text, is: "pong"}, // 73
		{target: "/admin/server_info", contentType: jsonUTF8, contains: `{"name":"linkerd","version":"1.2.3-test","build":"deadbeef","start_time":"`},
		{target: "/admin/registry.json", contentType: jsonUTF8, contains: `"plain":{"protocol":"http","dtab":"/svc=>/#/test","servers":["127.0.0.1:4140"]}`},
		{target: "/admin/announcer", contentType: text, is: "nothing is announced\n"},
		{target: "/admin/tracing", contentType: text, is: "Tracing disabled"},
		{target: "/admin/metrics.json?q=foo/bar", contentType: json, is: `{"bas":1.0}`},
		{target: "/admin/metrics.json?q=foo&tree=1", contentType: json, is: `{"bar":{"bas":{"gauge":1.0}}}`},
		{target: "/admin/metrics.json?q=foo&pretty=1", contentType: json, is: "{\n  \"bar/bas\" : 1.0\n}"},
		{target: "/admin/metrics.json", contentType: json, contains: `"rt/plain/service/svc/web/request_latency_ms.count":1`},
		{target: "/admin/metrics/prometheus", contentType: "text/plain; version=0.0.4; charset=utf-8", contains: `rt:server:requests{rt="plain", server="127.0.0.1/4140"} 3`},
		{target: "/admin/metrics/prometheus?format=openmetrics", contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8", contains: `rt:server:requests_total{rt="plain",server="127.0.0.1/4140"} 3`},
		{target: "/admin/metrics/prometheus?format=linkerd", contentType: "text/plain; version=0.0.4; charset=utf-8", contains: `rt:server:requests{rt="plain", server="127.0.0.1/4140"} 3`},
		{target: "/admin/metrics/usage", contentType: json, is: `{"pid":"x"}`},
		{target: "/admin/threads", contentType: text, contains: "goroutine "},
		{target: "/admin/threads.json", contentType: jsonUTF8, contains: `"state":"running","stack":["`},
		{target: "/admin/contention", contentType: jsonUTF8, contains: `"blocked_threads":[`},
		{target: "/admin/lint", contentType: text, is: "no issues found\n"},
		{target: "/admin/lint.json", contentType: jsonUTF8, contains: `"failed_rules":[]`},
		{target: "/admin/pprof/heap", contentType: "application/octet-stream", contains: "\x1f\x8b"},
		{target: "/admin/pprof/heap?gc=1&debug=1", contentType: text, contains: "heap profile: "},
		{target: "/admin/pprof/allocs", contentType: "application/octet-stream", contains: "\x1f\x8b"},
		{target: "/admin/pprof/goroutine?debug=2", contentType: text, contains: "goroutine "},
		{target: "/admin/pprof/contention?seconds=0.01", contentType: "application/octet-stream", contains: "\x1f\x8b"},
		{target: "/admin/pprof/profile?seconds=0.01&hz=100", contentType: "application/octet-stream", contains: "\x1f\x8b"},
		{target: "/config.json", contentType: jsonUTF8, is: `{"admin":{"ip":"localhost"}}`}, // 67
		{target: "/logging.json", contentType: json, is: `[{"logger":"root","level":"INFO"}]`},
		{target: "/bound-names.json", contentType: json, is: `["/#/test/a\"b","/#/test/web"]`},
		{target: "/client_state.json", contentType: json, is: `{"/#/test/bad":{"state":"Failed: boom <&>","addresses":[]},` +
			`"/#/test/gone":{"state":"Neg","addresses":[]},"/#/test/web":{"state":"bound","addresses":["10.0.0.1:80","10.0.0.2:80","10.0.0.3:80"]}}`},
		{target: "/client_state.json?router=mute", contentType: json, contains: `"/#/test/web":{"state":"Pending","addresses":["10.0.0.3:80"]}`},
		{target: "/namer_state/io.l5d.k8s.json", contentType: json, is: `{"watch":1}`},
		{target: "/plain/interpreter_state/io.l5d.k8s.configmap.json", contentType: json, is: `{"state":{"value":"/svc=>/$/inet/127.1/11111"}}`}, // 76
	}
}

func TestPages(t *testing.T) {
	s := newServer(t, full(t))
	for _, p := range pages() {
		t.Run(p.target, func(t *testing.T) {
			w := get(t, s, p.target)
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, p.contentType, w.Header().Get("Content-Type"))
			assert.Contains(t, w.Body.String(), p.contains)
			if p.is != "" {
				assert.Equal(t, p.is, w.Body.String())
			}
			if strings.HasPrefix(p.contentType, "application/json") {
				assert.True(t, json.Valid(w.Body.Bytes()), "valid JSON")
			}

			head := do(t, s, request{method: http.MethodHead, target: p.target})
			assert.Equal(t, http.StatusOK, head.Code)
			assert.Equal(t, p.contentType, head.Header().Get("Content-Type"))
			assert.Zero(t, head.Body.Len(), "HEAD has no body")
		})
	}
}

// TestPagesSayWhatPercentilesAreOf: the window of the stats, as it is.
func TestPagesSayWhatPercentilesAreOf(t *testing.T) {
	for window, want := range map[time.Duration]string{
		0: "minute", 5 * time.Second: "5 s", 90 * time.Second: "90 s", 5 * time.Minute: "5 minutes", 1500 * time.Millisecond: "1.5s", -1: "window",
	} {
		tree := telemetry.NewTree(telemetry.Options{Window: window})
		s := newServer(t, admin.Options{Tree: tree})
		assert.Contains(t, get(t, s, "/").Body.String(), ` data-window="`+want+`"`)
		assert.Contains(t, get(t, s, "/help").Body.String(), "the last full "+want+".")
		require.NoError(t, tree.Close())
	}
}

func TestHeadHasTheLengthOfGet(t *testing.T) {
	s := newServer(t, full(t))
	for _, target := range []string{"/", "/admin/metrics.json?q=foo", "/files/admin.css"} {
		body := get(t, s, target).Body
		n := do(t, s, request{method: http.MethodHead, target: target}).Header().Get("Content-Length")
		var length int
		require.NoError(t, json.Unmarshal([]byte(n), &length))
		assert.Equal(t, body.Len(), length, target)
	}
}

func TestUnknownPaths(t *testing.T) {
	s := newServer(t, full(t))
	for _, target := range []string{
		"/foo", // 66
		"/admin/", "/admin/pingx", "/admin//ping", "/ping", "/metrics.json", "/files", "/files/", "/files/nope.js", "/files/../server.go", "/files/dashboard.js/x",
		"/namer_state/", "/namer_state/io.l5d.fs.json", "/mute/interpreter_state/io.l5d.k8s.configmap.json", "/admin/metrics/influxdb",
	} {
		w := get(t, s, target)
		assert.Equal(t, http.StatusNotFound, w.Code, target)
		assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"), target)
	}
	w := do(t, s, request{target: "/foo<script>", header: map[string]string{"Accept": "text/html,*/*;q=0.8"}})
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Contains(t, w.Body.String(), "<h1>404</h1>")
	assert.NotContains(t, w.Body.String(), "script")

	w = get(t, s, "/admin/metrics.json?q=a/b")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, `{"error": "No such subtree: a/b"}`, w.Body.String())
}

func TestMethods(t *testing.T) {
	s := newServer(t, full(t))
	for _, row := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{http.MethodPost, "/admin/ping", 200, ""},
		{http.MethodGet, "/admin/shutdown", 405, "POST"}, // 74
		{http.MethodHead, "/admin/shutdown", 405, "POST"},
		{http.MethodPost, "/admin/metrics.json", 405, "GET, HEAD"},
		{http.MethodPut, "/delegator.json", 405, "GET, POST, HEAD"},
		{http.MethodDelete, "/logging.json", 405, "GET, POST, HEAD"},
	} {
		w := do(t, s, request{method: row.method, target: row.target})
		assert.Equal(t, row.status, w.Code, row.target)
		assert.Equal(t, row.allow, w.Header().Get("Allow"), row.target)
	}
}

func TestPagesThatHaveNothingToShow(t *testing.T) {
	s := newServer(t, admin.Options{})
	for _, target := range []string{"/requests", "/logging", "/logging.json", "/config.json", "/admin/shutdown", "/admin/tracing", "/admin/metrics/usage"} {
		assert.Equal(t, http.StatusNotFound, get(t, s, target).Code, target)
	}
	for target, body := range map[string]string{
		"/bound-names.json": "[]", "/client_state.json": "{}", "/admin/metrics.json": "{}", "/admin/metrics.json?tree=1": "{}", "/admin/metrics/prometheus": "",
	} {
		w := get(t, s, target)
		assert.Equal(t, http.StatusOK, w.Code, target)
		assert.Equal(t, body, w.Body.String(), target)
	}
	assert.Contains(t, get(t, s, "/").Body.String(), "No routers")
	assert.NotContains(t, get(t, s, "/").Body.String(), "./requests")
	assert.Equal(t, 501, get(t, s, "/delegator.json?path=/x").Code)
}

func TestOptionsThatContradict(t *testing.T) {
	for name, o := range map[string]admin.Options{
		"two routers of one label": {Routers: []admin.Router{{Label: "a"}, {Label: "a"}}},
		"no label":                 {Routers: []admin.Router{{}}},
		"a path that is taken":     {PrometheusPath: "/admin/ping"},
		"a path that is none":      {PrometheusPath: "metrics"},
		"whitelist":                {Security: admin.Security{PathWhitelist: []string{"("}}},
		"blacklist":                {Security: admin.Security{PathBlacklist: []string{"a)|(b"}}},
	} {
		_, err := admin.New(o)
		assert.ErrorContains(t, err, "admin: ", name)
	}
}

func TestFurtherHandlersAndPrometheusPath(t *testing.T) {
	hello := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
	}
	s := newServer(t, admin.Options{
		Tree: metrics(t), PrometheusPath: "/prom", PrometheusPrefix: "linkerd_",
		Handlers: map[string]http.Handler{"/a/": hello("a"), "/a/b/": hello("ab"), "/a/b/c": hello("abc")},
	})
	assert.Contains(t, get(t, s, "/prom").Body.String(), "linkerd_foo:bar:bas 1.0\n")
	assert.Equal(t, 404, get(t, s, "/admin/metrics/prometheus").Code)
	for target, body := range map[string]string{"/a/": "a", "/a/x": "a", "/a/b": "a", "/a/b/": "ab", "/a/b/x/y": "ab", "/a/b/c": "abc", "/a/b/c/": "ab"} {
		assert.Equal(t, body, get(t, s, target).Body.String(), target)
	}
	assert.Equal(t, 404, get(t, s, "/a").Code)
}

func TestUpdate(t *testing.T) {
	s := newServer(t, admin.Options{Version: "one"})
	require.NoError(t, s.Update(admin.Options{Version: "two"}))
	assert.Contains(t, get(t, s, "/admin/server_info").Body.String(), `"version":"two"`)
	require.Error(t, s.Update(admin.Options{Version: "three", PrometheusPath: "x"}))
	assert.Contains(t, get(t, s, "/admin/server_info").Body.String(), `"version":"two"`)
}

func TestUptimeCountsFromTheFirstOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, admin.Options{})
		time.Sleep(time.Second)
		require.NoError(t, s.Update(admin.Options{}))
		time.Sleep(500 * time.Millisecond)
		assert.Contains(t, get(t, s, "/admin/server_info").Body.String(), `"uptime":1500}`)
	})
}

func TestCachingAndHeaders(t *testing.T) {
	s := newServer(t, full(t))
	w := get(t, s, "/files/admin.css")
	tag := w.Header().Get("Etag")
	require.NotEmpty(t, tag)
	assert.Equal(t, http.StatusNotModified, do(t, s, request{target: "/files/admin.css", header: map[string]string{"If-None-Match": tag}}).Code)
	w = get(t, s, "/")
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
}

func TestServeAndShutdown(t *testing.T) {
	stopped := make(chan time.Duration, 1)
	o := full(t)
	o.Shutdown = func(grace time.Duration) { stopped <- grace }
	s := newServer(t, o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	url := "http://" + ln.Addr().String()

	rep, err := client.Head(url + "/admin/ping")
	require.NoError(t, err)
	require.NoError(t, rep.Body.Close())
	assert.EqualValues(t, 4, rep.ContentLength)

	// A profile that takes long does not hold up the shutdown, and arrives.
	profile := make(chan int, 1)
	go func() {
		for status := http.StatusConflict; ; {
			rep, err := client.Get(url + "/admin/pprof/contention?seconds=60")
			if err == nil {
				status = rep.StatusCode
				_ = rep.Body.Close()
			}
			if err != nil || status != http.StatusConflict { // the probe below may be first
				profile <- status
				return
			}
		}
	}()
	require.Eventually(t, func() bool {
		rep, err := client.Get(url + "/admin/pprof/contention?seconds=0.001")
		require.NoError(t, err)
		require.NoError(t, rep.Body.Close())
		return rep.StatusCode == http.StatusConflict
	}, 10*time.Second, time.Millisecond)

	rep, err = client.Post(url+"/admin/shutdown?grace=3.seconds", "", nil)
	require.NoError(t, err)
	body, err := io.ReadAll(rep.Body)
	require.NoError(t, err)
	require.NoError(t, rep.Body.Close())
	assert.Equal(t, "quitting\n", string(body)) // 74
	assert.Equal(t, 3*time.Second, <-stopped)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
	require.NoError(t, <-served)
	assert.Equal(t, http.StatusOK, <-profile)

	late, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, s.Serve(context.Background(), late), "after Shutdown")
	_, err = late.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestServeEndsWithItsContext(t *testing.T) {
	s := newServer(t, full(t))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /admin/ping HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-served)
	_, err = io.ReadAll(conn)
	require.NoError(t, err, "the connection is closed")
}

func TestServeReportsABrokenListener(t *testing.T) {
	s := newServer(t, admin.Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	require.ErrorContains(t, s.Serve(t.Context(), ln), "admin: serving 127.0.0.1:")
}

func TestUpdateWhileServing(t *testing.T) {
	o := full(t)
	s := newServer(t, o)
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for range 20 {
				if i == 0 {
					assert.NoError(t, s.Update(o))
					o.Levels.Leveler("a.b")
					o.Levels.Set("a.b", 0)
				}
				for _, target := range []string{"/", "/admin/metrics.json", "/logging.json", "/delegator.json?namespace=plain&path=/%23/test/x"} {
					assert.Equal(t, http.StatusOK, get(t, s, target).Code, target)
				}
			}
		})
	}
	work.Wait()
}
