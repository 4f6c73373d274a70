package admin_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/admin"
)

func TestSecurity(t *testing.T) {
	ui := admin.Security{NoControl: true, NoDiagnostics: true}
	with := func(s admin.Security, white, black []string) admin.Security {
		s.PathWhitelist, s.PathBlacklist = white, black
		return s
	}
	for _, row := range []struct {
		id       string
		security admin.Security
		served   []string
		closed   []string
	}{
		{
			"V151", with(admin.Security{NoDiagnostics: true}, []string{`^/foo/bar$`}, []string{`^/logging$`}),
			[]string{"/foo/bar", "/metrics.json", "/logging.json"},
			[]string{"/admin/threads", "/logging", "/foo/bar/", "/x/foo/bar"},
		},
		{
			"68", ui,
			[]string{
				"/", "/files/js/x.js", "/admin/files/x", "/config.json", "/metrics.json", "/admin/metrics.json", "/admin/metrics",
				"/delegator?router=out", "/delegator.json", "/logging", "/help",
			},
			[]string{
				"/admin/shutdown", "/admin/threads", "/logging.json", "/admin/ping", "/requests", "/services", "/admin/metrics/prometheus",
				"/xconfig.json", "/configxjson", "/files", "/help/",
			},
		},
		{
			"69", with(ui, []string{`^/fooba[rz]$`, `^/abc/def/.*$`}, nil),
			[]string{"/foobar", "/foobaz", "/abc/def/ghi"},
			[]string{"/foobaf", "/abc/def"},
		},
		{"71", admin.Security{NoDiagnostics: true}, []string{"/admin/shutdown", "/logging.json", "/"}, []string{"/sth/else"}},
		{"72", with(ui, nil, []string{`^/help$`}), []string{"/"}, []string{"/help"}},
		{"72, whitelisted too", with(ui, []string{`^/help$`}, []string{`^/help$`}), []string{"/"}, []string{"/help"}},
		{"whole paths, either branch", with(admin.Security{}, nil, []string{`/a|/b`}), []string{"/ab", "/a/c", "/x/b"}, []string{"/a", "/b"}},
		{"no UI", admin.Security{NoUI: true}, []string{"/admin/ping", "/logging.json"}, []string{"/", "/help"}},
		{"none", admin.Security{}, []string{"/", "/admin/shutdown", "/x"}, nil},
	} {
		h, err := row.security.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		require.NoError(t, err)
		for _, target := range row.served {
			assert.Equal(t, http.StatusOK, get(t, h, target).Code, "%s %s", row.id, target)
		}
		for _, target := range row.closed {
			assert.Equal(t, http.StatusNotFound, get(t, h, target).Code, "%s %s", row.id, target)
		}
	}
}

func TestSecurityOfTheServer(t *testing.T) {
	o := full(t)
	o.Security = admin.Security{NoControl: true, NoDiagnostics: true, PathBlacklist: []string{"/help"}}
	s := newServer(t, o)
	assert.Equal(t, http.StatusOK, get(t, s, "/").Code)
	assert.Equal(t, http.StatusOK, get(t, s, "/files/admin.css").Code, "the page works")
	assert.Equal(t, http.StatusNotFound, do(t, s, request{method: http.MethodPost, target: "/admin/shutdown"}).Code)
	assert.Equal(t, http.StatusNotFound, get(t, s, "/admin/%74hreads").Code, "escapes do not get around it")
	nav := get(t, s, "/").Body.String()
	assert.NotContains(t, nav, `href="./help"`, "what is closed is not linked")
	assert.Contains(t, nav, `href="./delegator"`)
}

func TestOtherSitesMayNotChangeAnything(t *testing.T) {
	o := full(t)
	s := newServer(t, o)
	foreign := map[string]string{"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}
	for _, q := range []request{
		{method: http.MethodPost, target: "/admin/shutdown", header: foreign},
		{method: http.MethodPost, target: "/logging.json?logger=root&level=OFF", header: foreign},
		{method: http.MethodPost, target: "/admin/shutdown", header: map[string]string{"Origin": "http://evil.example"}},
		{method: http.MethodGet, target: "/admin/tracing?enable=true", header: foreign},
	} {
		assert.Equal(t, http.StatusForbidden, do(t, s, q).Code, q.target)
	}
	assert.False(t, o.Tracing.Load())
	assert.Equal(t, http.StatusOK, do(t, s, request{target: "/", header: foreign}).Code, "reading is the browser's business")
	assert.Equal(t, http.StatusOK, do(t, s, request{method: http.MethodPost, target: "/logging.json?logger=root&level=INFO", header: map[string]string{"Sec-Fetch-Site": "same-origin"}}).Code)
}
