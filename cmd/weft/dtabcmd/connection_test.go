package dtabcmd_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhereNamerdIs: flag, environment, file, in this order.
func TestWhereNamerdIs(t *testing.T) {
	w := newWorld(t)
	listens := result{0, "tlop\nyeezus\n", ""}
	good := w.http.URL
	top := t.TempDir()
	require.NoError(t, os.MkdirAll(top+"/a/b", 0o755))
	t.Chdir(top + "/a/b")
	at := func() result { return run(t.Context(), "", "list") }
	assert.Equal(t, result{1, "", "weft: empty base URL\n"}, at())
	for _, file := range []struct{ name, text string }{
		{"../../.namerctl.yml", "base-url: " + good},
		{"../../.namerctl.yaml", "Base-URL: " + good + "\nother: [1, 2]"},
		{"../.namerctl.toml", "# where\nbase-url = \"" + good + "\" # here\n[table]\nbase-url = 'http://nowhere'"},
		{".namerctl.json", `{"base-url": "` + good + `"}`},
	} {
		files(t, map[string]string{file.name: file.text})
		assert.Equal(t, listens, at(), file.name)
		// The nearest wins, so what comes before it must not matter any more.
		files(t, map[string]string{file.name: "base-url = nonsense: ["})
		assert.Equal(t, 1, at().code, file.name)
	}
	assert.Equal(t, result{1, "", "weft: .namerctl.json: invalid character 'b' looking for beginning of value\n"}, run(t.Context(), "", "list", "--config", ".namerctl.json"))
	assert.Equal(t, result{1, "", "weft: open none.yaml: no such file or directory\n"}, run(t.Context(), "", "list", "--config", "none.yaml"))
	files(t, map[string]string{"named.yaml": "base-url: " + good})
	assert.Equal(t, listens, run(t.Context(), "", "list", "--config", "named.yaml"))
	t.Setenv("NAMERCTL_BASE_URL", good)
	t.Setenv("NAMERCTL_TOKEN", "x")
	t.Setenv("NAMERCTL_TIMEOUT", "3s")
	t.Setenv("NAMERCTL_TLS_CA", "none.pem")
	assert.Equal(t, result{1, "", "weft: " + top + "/a/b/.namerctl.json: invalid character 'b' looking for beginning of value\n"}, at(), "a broken file is not passed over")
	require.NoError(t, os.Remove(".namerctl.json"))
	require.NoError(t, os.Remove("../.namerctl.toml"))
	require.NoError(t, os.Remove("../../.namerctl.yaml"))
	require.NoError(t, os.Remove("../../.namerctl.yml"))
	assert.Equal(t, result{1, "", "weft: tls-ca: open none.pem: no such file or directory\n"}, at())
	t.Setenv("NAMERCTL_TLS_CA", "")
	assert.Equal(t, listens, at())
	t.Setenv("NAMERCTL_BASE_URL", "nowhere")
	assert.Equal(t, listens, run(t.Context(), "", "list", "--base-url", good))
	assert.Equal(t, result{1, "", "weft: invalid base URL: nowhere: want http://HOST:PORT or https://HOST:PORT\n"}, at())
	assert.Contains(t, run(t.Context(), "", "list", "--base-url", "http://127.0.0.1:1").errs, "connection refused")
	assert.Equal(t, 4, run(t.Context(), "", "list", "--base-url", "http://127.0.0.1:1").code)
	assert.Equal(t, listens, run(t.Context(), "", "list", "--base-url", "http://127.0.0.1:1,"+good))
	for name, wrong := range map[string]string{"NAMERCTL_TIMEOUT": "soon", "NAMERCTL_INSECURE": "perhaps"} {
		t.Setenv(name, wrong)
		assert.Equal(t, 1, run(t.Context(), "", "list", "--base-url", good).code)
		t.Setenv(name, "")
	}
}

func TestAuthorizationAndFailures(t *testing.T) {
	newWorld(t) // for its environment
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.Method == http.MethodGet:
			w.Header().Set("weft-stale", "etcd is away")
			_, _ = io.WriteString(w, "[]")
		case r.Method == http.MethodPut:
			http.Error(w, "You do not have sufficient permissions", http.StatusInternalServerError)
		default:
			http.Error(w, "boom", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	at := func(args ...string) result { return run(t.Context(), "/a=>/b", append(args, "--base-url", s.URL)...) }
	assert.Equal(t, result{5, "", "weft: unexpected response: 401 Unauthorized: who are you?\n"}, at("list"))
	r := at("list", "--token", "secret")
	assert.Equal(t, 0, r.code)
	assert.Equal(t, "\n", r.out)
	assert.Contains(t, r.errs, "weft: warning: namerd cannot ask its store and answers what it knew")
	assert.Contains(t, r.errs, "etcd is away")
	t.Setenv("NAMERCTL_TOKEN", "secret")
	assert.Equal(t, 5, at("update", "x", "-").code)
	assert.Equal(t, result{4, "", "weft: unexpected response: 500 Internal Server Error: boom\n"}, at("delete", "x"))
}

func TestTLS(t *testing.T) {
	newWorld(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["tls"]`) }))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"ca.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})),
		"not.pem": "nothing",
	})
	at := func(args ...string) result {
		return run(t.Context(), "", append([]string{"list", "--base-url", s.URL}, args...)...)
	}
	r := at()
	assert.Equal(t, 4, r.code)
	assert.Contains(t, r.errs, "certificate")
	assert.Equal(t, result{0, "tls\n", ""}, at("--insecure"))
	assert.Equal(t, result{0, "tls\n", ""}, at("--tls-ca", "ca.pem"))
	assert.Equal(t, result{0, "tls\n", ""}, at("--tls-ca", "ca.pem", "--tls-server-name", "example.com"))
	assert.Equal(t, 4, at("--tls-ca", "ca.pem", "--tls-server-name", "example.org").code)
	assert.Equal(t, result{1, "", "weft: tls-ca: not.pem has no certificate in PEM\n"}, at("--tls-ca", "not.pem"))
	assert.Equal(t, result{1, "", "weft: tls-cert and tls-key must be given together\n"}, at("--tls-cert", "ca.pem"))
	assert.Contains(t, at("--tls-cert", "ca.pem", "--tls-key", "ca.pem").errs, "weft: tls-cert, tls-key: tls: ")
}
