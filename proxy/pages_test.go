package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy"
)

func TestAdminShowsWhatNamersAndInterpretersHold(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte("10.0.0.1 80\nnonsense\n"), 0o600))
	file := filepath.Join(t.TempDir(), "rules.dtab")
	require.NoError(t, os.WriteFile(file, []byte("/svc => /#/io.l5d.fs ;\n"), 0o600))
	p := newProxy(t, strings.NewReplacer("${dir}", dir, "${file}", file).Replace(`
namers: [{kind: io.l5d.fs, rootDir: "${dir}"}]
routers:
- protocol: http
  interpreter: {kind: io.l5d.fs, dtabFile: "${file}"}
  servers: [{port: 0}]
usage: {orgId: us}
`), proxy.Options{Version: "1.2.3"})
	get := func(target string) string {
		w := httptest.NewRecorder()
		p.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		require.Equal(t, http.StatusOK, w.Code, target)
		return w.Body.String()
	}
	answer, err := proxy.Explain(t.Context(), p.Routers()[0], question(t, "/svc/web"))
	require.NoError(t, err)
	assert.Contains(t, answer.Delegation.Text(), "10.0.0.1:80")

	assert.JSONEq(t, `["/#/io.l5d.fs/web"]`, get("/bound-names.json"))
	state := get("/namer_state/io.l5d.fs.json")
	assert.Contains(t, state, `"state":"stale"`, "a line was left out")
	assert.Contains(t, state, "nonsense")
	assert.Contains(t, get("/http/interpreter_state/io.l5d.fs.json"), `"running":true`)
	assert.Contains(t, get("/http/interpreter_state/io.l5d.fs.json"), `"value":"/svc=>/#/io.l5d.fs"`)
	page := get("/")
	assert.Contains(t, page, "linkerd admin")
	assert.Contains(t, page, "1.2.3")
	assert.Contains(t, page, "/#/io.l5d.fs", "the rules that the interpreter holds")
	assert.Contains(t, get("/admin/metrics/usage"), `"orgId":"us"`)
	assert.Contains(t, get("/delegator.json?namespace=http&path=/svc/web"), "10.0.0.1", "the stored rules hold for questions too")
}

func question(t *testing.T, name string) proxy.Question {
	t.Helper()
	p, err := dtab.ParsePath(name)
	require.NoError(t, err)
	return proxy.Question{Name: p}
}

// A request is identified as the router's servers would, with the rules that it brings.
func TestExplainJSONOfARequest(t *testing.T) {
	p := newProxy(t, `
admin: {port: 0}
routers: [{protocol: http, label: out, dtab: "/host => /$/inet/127.1 ; /host/web => /$/inet/127.1/1 ; /svc => /host", servers: [{port: 0}]}]
`, proxy.Options{})
	ask := func(headers string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/explain.json", strings.NewReader(`{"router":"out","request":{"target":"/x","headers":[`+headers+`]}}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		p.Admin().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, body := ask(`"Host: web"`)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, `"path":"/svc/web"`)
	assert.Contains(t, body, `"id":"/$/inet/127.1/1"`)
	_, body = ask(`"Host: web","l5d-dtab: /host/web => /$/inet/127.1/2"`)
	assert.Contains(t, body, `"local":[{"prefix":"/host/web","dst":"/$/inet/127.1/2"}]`)
	assert.Contains(t, body, `"id":"/$/inet/127.1/2"`)
	for _, bad := range []string{``, `"Host"`, `"Host: web","l5d-dtab: nonsense"`} {
		status, body = ask(bad)
		assert.Equal(t, http.StatusBadRequest, status, "%s: %s", bad, body)
	}
}
