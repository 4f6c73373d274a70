package admin_test

import (
	"bytes"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/admin"
)

func TestShutdownGrace(t *testing.T) {
	for _, row := range []struct {
		query string
		want  time.Duration // negative: refused
	}{
		{"", 10 * time.Second},
		{"?grace=", 10 * time.Second},
		{"?grace=10.seconds", 10 * time.Second},
		{"?grace=1.second", time.Second},
		{"?grace=0.seconds", 0},
		{"?grace=1.minutes%2B30.seconds", 90 * time.Second},
		{"?grace=1.minutes-30.seconds", 30 * time.Second},
		{"?grace=500.MILLISECONDS", 500 * time.Millisecond},
		{"?grace=2.days", 48 * time.Hour},
		{"?grace=Duration.Top", math.MaxInt64},
		{"?grace=10", -1},
		{"?grace=10s", -1},
		{"?grace=ten.seconds", -1},
		{"?grace=10.fortnights", -1},
		{"?grace=10.seconds.", -1},
		{"?grace=1.minutes30.seconds", -1},
		{"?grace=-1.seconds", -1},
		{"?grace=9999999999999.days", -1},
		{"?grace=106751.days%2B106751.days", -1},
		{"?grace=-106751.days-106751.days", -1},
	} {
		got := time.Duration(-1)
		s := newServer(t, admin.Options{Shutdown: func(grace time.Duration) { got = grace }})
		w := do(t, s, request{method: http.MethodPost, target: "/admin/shutdown" + row.query})
		assert.Equal(t, row.want, got, row.query)
		if row.want < 0 {
			assert.Equal(t, http.StatusBadRequest, w.Code, row.query)
			continue
		}
		assert.Equal(t, http.StatusOK, w.Code, row.query)
		assert.Equal(t, "quitting\n", w.Body.String(), row.query)
		assert.True(t, w.Flushed, "the answer leaves before the process does")
	}
}

func TestTracing(t *testing.T) {
	o := full(t)
	s := newServer(t, o)
	for _, row := range []struct {
		method, query, body string
		on                  bool
	}{
		{http.MethodGet, "?enable=true", "Tracing enabled", true},
		{http.MethodGet, "", "Tracing enabled", true},
		{http.MethodHead, "?disable=true", "", true},
		{http.MethodGet, "?disable=false", "Tracing enabled", true},
		{http.MethodPost, "?disable=true", "Tracing disabled", false},
		{http.MethodGet, "?disable=true&enable=true", "admin: tracing cannot be enabled and disabled at once", false},
	} {
		w := do(t, s, request{method: row.method, target: "/admin/tracing" + row.query})
		assert.Equal(t, row.body, w.Body.String(), row.query)
		assert.Equal(t, row.on, o.Tracing.Load(), row.query)
	}
}

func TestLoggingJSON(t *testing.T) {
	o := full(t)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.Levels.Leveler("io.l5d")
	s := newServer(t, o)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for _, row := range []struct {
		body   string
		status int
		want   string // levels of io.l5d and root
	}{
		{"logger=io.l5d&level=debug", 200, "DEBUG INFO"},
		{"logger=nobody&level=DEBUG", 200, "DEBUG INFO"},
		{"logger=root&level=loud", 200, "DEBUG INFO"},
		{"logger=root", 400, "DEBUG INFO"},
		{"level=DEBUG", 400, "DEBUG INFO"},
		{"", 400, "DEBUG INFO"},
		{"%zz", 400, "DEBUG INFO"},
		{"logger=root&level=OFF&pad=" + strings.Repeat("x", 1<<20), 400, "DEBUG INFO"},
		{"logger=root&level=WARNING", 200, "DEBUG WARNING"},
	} {
		w := do(t, s, request{method: http.MethodPost, target: "/logging.json", body: row.body, header: form})
		name := row.body[:min(len(row.body), 40)]
		assert.Equal(t, row.status, w.Code, name)
		own, root, _ := strings.Cut(row.want, " ")
		assert.Equal(t, `[{"logger":"io.l5d","level":"`+own+`"},{"logger":"root","level":"`+root+`"}]`, get(t, s, "/logging.json").Body.String(), name)
	}
	w := do(t, s, request{method: http.MethodPost, target: "/logging.json?logger=root&level=FATAL"})
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "FATAL", admin.LevelName(o.Levels.Leveler("root").Level()))
	assert.Contains(t, log.String(), "of=io.l5d level=DEBUG")
}

func TestLevelsFollowTheirParents(t *testing.T) {
	var l admin.Levels
	deep, side, root := l.Leveler("a.b.c"), l.Leveler("ab"), l.Leveler("")
	assert.Equal(t, slog.LevelInfo, deep.Level())
	require.True(t, l.Set("root", slog.LevelError))
	assert.Equal(t, slog.LevelError, deep.Level())
	l.Leveler("a")
	require.True(t, l.Set("a", admin.LevelTrace))
	assert.Equal(t, admin.LevelTrace, deep.Level())
	assert.Equal(t, slog.LevelError, side.Level(), "ab is not below a")
	l.Leveler("a.b")
	require.True(t, l.Set("a.b", admin.LevelOff))
	assert.Equal(t, admin.LevelOff, deep.Level())
	require.True(t, l.Set("a", slog.LevelWarn))
	assert.Equal(t, admin.LevelOff, deep.Level(), "the nearer parent")
	assert.Equal(t, slog.LevelError, root.Level())
	assert.False(t, l.Set("a.x", slog.LevelInfo))
	assert.Equal(t, []admin.LoggerLevel{{"a", "WARNING"}, {"a.b", "OFF"}, {"a.b.c", "OFF"}, {"ab", "ERROR"}, {"root", "ERROR"}}, l.All())
}

func TestLevelHandler(t *testing.T) {
	var (
		l   admin.Levels
		out bytes.Buffer
	)
	log := slog.New(l.Handler("x", slog.NewTextHandler(&out, &slog.HandlerOptions{Level: admin.LevelAll}))).With("k", "v").WithGroup("g")
	log.Debug("one")
	l.Set("x", slog.LevelDebug)
	log.Debug("two", "n", 2)
	l.Set("x", admin.LevelOff)
	log.Error("three")
	assert.NotContains(t, out.String(), "one")
	assert.Contains(t, out.String(), "msg=two k=v g.n=2")
	assert.NotContains(t, out.String(), "three")
}

func TestLevelNames(t *testing.T) {
	for _, name := range []string{"ALL", "TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL", "OFF"} {
		l, ok := admin.ParseLevel(strings.ToLower(name))
		require.True(t, ok)
		assert.Equal(t, name, admin.LevelName(l))
	}
	assert.Equal(t, "INFO", admin.LevelName(slog.LevelInfo+1))
	assert.Equal(t, "ALL", admin.LevelName(math.MinInt))
	_, ok := admin.ParseLevel("WARN")
	assert.False(t, ok)
}

func TestProfiles(t *testing.T) {
	s := newServer(t, admin.Options{})
	for _, seconds := range []string{"0", "-1", "301", "x", "NaN"} {
		assert.Equal(t, http.StatusBadRequest, get(t, s, "/admin/pprof/profile?seconds="+seconds).Code, seconds)
	}
	for _, debug := range []string{"-1", "3", "x"} {
		assert.Equal(t, http.StatusBadRequest, get(t, s, "/admin/pprof/goroutine?debug="+debug).Code, debug)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, admin.Options{})
		start := time.Now()
		assert.Equal(t, http.StatusOK, get(t, s, "/admin/pprof/contention").Code)
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

func TestPagesEscape(t *testing.T) {
	o := full(t)
	o.Version = "<b>&"
	o.Routers[1].Label = `"><script>alert(1)</script>`
	s := newServer(t, o)
	for _, target := range []string{"/", "/services", "/delegator", "/requests", "/?router=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"} {
		body := get(t, s, target).Body.String()
		assert.NotContains(t, body, "<script>", target)
		assert.NotContains(t, body, "<b>&", target)
	}
	assert.Contains(t, get(t, s, "/requests").Body.String(), `href="./delegator?router=plain#%2Fsvc%2F%3Cscript%3E`, "names link to the playground")
}

// TestLoggersByName: a logger that is named has the level of its name, at once, and no
// other; its lines say whose they are, once.
func TestLoggersByName(t *testing.T) {
	var out bytes.Buffer
	levels := &admin.Levels{}
	root := slog.New(levels.Handler(admin.RootLogger, slog.NewTextHandler(&out, &slog.HandlerOptions{Level: admin.LevelAll, ReplaceAttr: noTime})))
	said := func(l *slog.Logger) string {
		out.Reset()
		l.Debug("x", "a", 1)
		return strings.TrimSpace(out.String())
	}
	k8s := root.With("b", 2).With(admin.LoggerKey, "io.l5d.k8s")
	fs := root.With(admin.LoggerKey, "proxy").With(admin.LoggerKey, "io.l5d.fs", "c", 3)
	group := k8s.WithGroup("g")
	assert.Empty(t, said(root)+said(k8s)+said(fs)+said(group))

	require.True(t, levels.Set("io.l5d.k8s", slog.LevelDebug))
	assert.Equal(t, "level=DEBUG msg=x b=2 a=1 logger=io.l5d.k8s", said(k8s))
	assert.Equal(t, "level=DEBUG msg=x b=2 logger=io.l5d.k8s g.a=1", said(group))
	assert.Empty(t, said(root)+said(fs))

	require.True(t, levels.Set("io.l5d.k8s", slog.LevelInfo))
	require.True(t, levels.Set(admin.RootLogger, slog.LevelDebug))
	assert.Empty(t, said(k8s))
	assert.Equal(t, "level=DEBUG msg=x a=1", said(root))
	assert.Equal(t, "level=DEBUG msg=x c=3 a=1 logger=io.l5d.fs", said(fs))
	assert.False(t, levels.Set("io.l5d.zk", slog.LevelDebug))
}

func noTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
