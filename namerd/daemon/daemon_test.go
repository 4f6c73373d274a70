package daemon_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T, yaml string) *config.Namerd {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.LoadNamerd("namerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	return cfg
}

// serve runs a configuration until the end of the test.
func serve(t *testing.T, yaml string) (*daemon.Daemon, daemon.Addrs) {
	t.Helper()
	d, err := daemon.New(load(t, yaml), daemon.Options{Version: "1.2.3"})
	require.NoError(t, err)
	addrs, err := d.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(context.Background()) }()
	t.Cleanup(func() {
		d.Shutdown(5 * time.Second)
		assert.NoError(t, <-ended)
	})
	return d, addrs
}

func get(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	rsp, err := client.Do(req)
	require.NoError(t, err)
	defer rsp.Body.Close()
	text, err := io.ReadAll(rsp.Body)
	require.NoError(t, err)
	return rsp.StatusCode, string(text)
}

func plain(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

const all = `
admin: {port: 0}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /#/io.l5d.fs, a/b: /x => /y}}
namers: [{kind: io.l5d.fs, rootDir: '%s'}]
telemetry: [{kind: io.l5d.prometheus}, {kind: io.l5d.influxdb}]
interfaces:
- {kind: io.l5d.httpController, port: 0}
- {kind: io.l5d.mesh, port: 0, h2AccessLog: '%s/access.log'}
- {kind: io.l5d.thriftNameInterpreter, port: 0, cache: {bindingCacheActive: 10, bindingCacheInactive: 0}}
- {kind: io.l5d.destination, port: 0}
`

func TestChangesThroughTheAdminServer(t *testing.T) {
	const yaml = `
admin: {port: 0, security: %s}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /x}}
interfaces: [{kind: io.l5d.httpController, port: 0}]
`
	send := func(admin, path, body string, header map[string]string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+admin+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		for k, v := range header {
			req.Header.Set(k, v)
		}
		rsp, err := plain(t).Do(req)
		require.NoError(t, err)
		defer rsp.Body.Close()
		return rsp.StatusCode
	}
	const remove = `{"namespace":"default","version":"AAAAAAAAAAE="}`
	const preview, save = `{"namespace":"default","dtab":"/svc=>/y"}`, `{"namespace":"default","dtab":"/svc=>/y","version":"AAAAAAAAAAE="}`
	dtabOf := func(d *daemon.Daemon) string {
		s, err := d.Namerd().Store().Get(t.Context(), "default")
		require.NoError(t, err)
		return s.Dtab.Exact()
	}

	d, addrs := serve(t, fmt.Sprintf(yaml, "{controlEnabled: false}"))
	assert.Equal(t, http.StatusNotFound, send(addrs.Admin, "/namespace/preview.json", preview, nil))
	assert.Equal(t, http.StatusNotFound, send(addrs.Admin, "/namespace/save.json", save, nil))
	assert.Equal(t, http.StatusNotFound, send(addrs.Admin, "/namespace/delete.json", remove, nil))
	assert.Equal(t, "/svc=>/x", dtabOf(d))
	_, page := get(t, plain(t), "http://"+addrs.Admin+"/dtab/default")
	assert.NotContains(t, page, "namespace/save.json", "the page is not told of what is closed")
	assert.NotContains(t, page, "namespace/delete.json")

	d, addrs = serve(t, fmt.Sprintf(yaml, "{uiEnabled: true}"))
	_, page = get(t, plain(t), "http://"+addrs.Admin+"/dtab/default")
	assert.Contains(t, page, "namespace/save.json")
	for _, foreign := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}} {
		assert.Equal(t, http.StatusForbidden, send(addrs.Admin, "/namespace/save.json", save, foreign))
		assert.Equal(t, http.StatusForbidden, send(addrs.Admin, "/namespace/delete.json", remove, foreign))
	}
	assert.Equal(t, "/svc=>/x", dtabOf(d))
	assert.Equal(t, http.StatusOK, send(addrs.Admin, "/namespace/preview.json", preview, nil))
	assert.Equal(t, "/svc=>/x", dtabOf(d), "a preview changes nothing")
	assert.Equal(t, http.StatusOK, send(addrs.Admin, "/namespace/save.json", save, map[string]string{"Sec-Fetch-Site": "same-origin"}))
	assert.Equal(t, "/svc=>/y", dtabOf(d))
	assert.Equal(t, http.StatusPreconditionFailed, send(addrs.Admin, "/namespace/save.json", save, nil))
	assert.Equal(t, http.StatusPreconditionFailed, send(addrs.Admin, "/namespace/delete.json", remove, nil))
}

func TestAdminPages(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte("127.0.0.1 8080\n"), 0o600))
	d, addrs := serve(t, fmt.Sprintf(all, dir, dir))
	client := plain(t)
	admin := "http://" + addrs.Admin
	for path, want := range map[string]struct {
		status int
		has    string
	}{
		"/":                                 {200, `<a href="./dtab/default">default</a>`},
		"/dtab/default":                     {200, "<td>/#/io.l5d.fs</td>"},
		"/dtab/a/b":                         {200, `data-delegator="../../dtab/delegator.json"`},
		"/dtab/nope":                        {404, ""},
		"/dtab/default/":                    {404, ""},
		"/nope":                             {404, ""}, // the original shows the list
		"/delegator.json":                   {404, ""},
		"/explain.json":                     {404, ""}, // of routers
		"/namespaces.json":                  {200, `{"name":"a/b","active":0}`},
		"/namespace.json?namespace=default": {200, `"dtab":"/svc => /#/io.l5d.fs ;\n"`},
		"/namespace.json?namespace=nope":    {404, `"error":"The dtab namespace nope does not exist"`},
		"/namespace/save.json":              {405, ""},
		"/bound-names.json":                 {404, ""},
		"/client_state.json":                {404, ""},
		"/help":                             {404, ""},
		"/admin/ping":                       {200, "pong"},
		"/admin/server_info":                {200, `"name":"namerd"`},
		"/config.json":                      {200, `"storage":{"kind":"io.l5d.inMemory"`},
		"/discovery.json":                   {200, `"storage"`},
		"/admin/metrics/prometheus":         {200, "storage:watches"},
		"/admin/metrics/influxdb":           {200, "storage,host=" + addrs.Admin},
		"/admin/metrics.json":               {200, "storage/watches"},
		"/dtab/delegator.json?path=/svc/web&dtab=/svc=>/%23/io.l5d.fs": {200, `"id":"/#/io.l5d.fs/web"`},
		"/dtab/delegator.json?path=nonsense":                           {400, "Invalid path: "},
	} {
		status, body := get(t, client, admin+path)
		assert.Equal(t, want.status, status, path)
		assert.Contains(t, body, want.has, path)
	}
	_, err := d.Start()
	require.ErrorIs(t, err, daemon.ErrStarted)
	assert.NotEmpty(t, addrs.Of("io.l5d.destination"))
	assert.Empty(t, addrs.Of("none"))
	require.NoError(t, d.Reopen())
	s, err := d.Namerd().Store().Get(t.Context(), "default")
	require.NoError(t, err)
	assert.Equal(t, dtab.MustParse("/svc=>/#/io.l5d.fs"), s.Dtab)
}

// TestStoragePage shows the state of a store that has a page, here of one that cannot
// be reached.
func TestStoragePage(t *testing.T) {
	for kind, path := range map[string]string{"consul, pathPrefix: /a/b, failFast: true": "/storage/a/b.json", "consul": "/storage/namerd/dtabs.json", "k8s": "/storage/dtabs.json"} {
		_, addrs := serve(t, "admin: {port: 0}\nstorage: {kind: io.l5d."+kind+", port: 1}\ninterfaces: [{kind: io.l5d.httpController, port: 0}]\n")
		status, body := get(t, plain(t), "http://"+addrs.Admin+path)
		assert.Equal(t, 200, status)
		assert.Contains(t, body, `"error": "`)
		assert.Contains(t, body, `"value": {}`)
	}
}

func TestShutdown(t *testing.T) {
	d, err := daemon.New(load(t, fmt.Sprintf(all, t.TempDir(), t.TempDir())), daemon.Options{})
	require.NoError(t, err)
	require.ErrorIs(t, d.Wait(t.Context()), daemon.ErrNotStarted)
	addrs, err := d.Start()
	require.NoError(t, err)
	client := plain(t)
	// A watch that is open does not hold up the end.
	watch, err := client.Get("http://" + addrs.Of("io.l5d.httpController") + "/api/1/dtabs?watch=true")
	require.NoError(t, err)
	defer watch.Body.Close()
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(context.Background()) }()
	rsp, err := client.Post("http://"+addrs.Admin+"/admin/shutdown", "", nil)
	require.NoError(t, err)
	text, err := io.ReadAll(rsp.Body)
	require.NoError(t, rsp.Body.Close())
	require.NoError(t, err)
	assert.Equal(t, "quitting\n", string(text))
	began := time.Now()
	require.NoError(t, <-ended)
	assert.Less(t, time.Since(began), 5*time.Second)
	_, err = d.Start()
	require.ErrorIs(t, err, daemon.ErrClosed)
}

func TestPortsThatAreTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	d, err := daemon.New(load(t, `
admin: {port: 0}
storage: {kind: io.l5d.inMemory}
interfaces: [{kind: io.l5d.httpController, port: 0}, {kind: io.l5d.mesh, port: `+port+`}]
`), daemon.Options{})
	require.NoError(t, err)
	_, err = d.Start()
	require.ErrorContains(t, err, "namerd: interfaces[1]: io.l5d.mesh: ")
	require.ErrorContains(t, err, "address already in use")
}

func TestCheck(t *testing.T) {
	assert.Empty(t, daemon.Check(load(t, fmt.Sprintf(all, t.TempDir(), t.TempDir()))))
	dir := t.TempDir()
	bad := filepath.Join(dir, "cert.pem")
	require.NoError(t, os.WriteFile(bad, []byte("nonsense"), 0o600))
	problems := daemon.Check(load(t, `
storage: {kind: io.l5d.inMemory}
interfaces: [{kind: io.l5d.mesh, tls: {certPath: '`+bad+`', keyPath: '`+bad+`'}}]
`))
	require.Len(t, problems, 1)
	assert.Equal(t, "interfaces[0].tls", problems[0].Path)
	assert.Equal(t, 3, problems[0].Line)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "db"), []byte(strings.Repeat("no database ", 1000)), 0o600))
	problems = daemon.Check(load(t, "storage: {kind: io.weft.file, path: '"+dir+"/db'}\ninterfaces: [{kind: io.l5d.mesh}]\n"))
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].Message, dir+"/db")
}

// TestMutualTLS: every interface speaks TLS and refuses clients without a certificate.
// That the clients of namerd do is tested where they are.
func TestMutualTLS(t *testing.T) {
	files := testcert.NewFiles(t, "namerd")
	secured := "port: 0, tls: {certPath: '" + files.Cert + "', keyPath: '" + files.Key + "', caCertPath: '" + files.CA + "', requireClientAuth: true}"
	_, addrs := serve(t, `
admin: {port: 0}
storage: {kind: io.l5d.inMemory, namespaces: {default: /a => /b}}
interfaces:
- {kind: io.l5d.httpController, `+secured+`}
- {kind: io.l5d.mesh, `+secured+`}
- {kind: io.l5d.thriftNameInterpreter, `+secured+`}
- {kind: io.l5d.destination, `+secured+`}
`)
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(files.CA)
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(pem))
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	require.NoError(t, err)
	for _, i := range addrs.Interfaces {
		conf := &tls.Config{RootCAs: roots, ServerName: "namerd", NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
		anonymous, err := tls.Dial("tcp", i.Address, conf)
		if err == nil { // TLS 1.3 tells a client only when it reads
			_ = anonymous.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err = anonymous.Read(make([]byte, 1))
			_ = anonymous.Close()
		}
		require.ErrorContains(t, err, "certificate required", i.Kind)
		conf.Certificates = []tls.Certificate{pair}
		known, err := tls.Dial("tcp", i.Address, conf)
		require.NoError(t, err, i.Kind)
		require.NoError(t, known.Handshake())
		require.NoError(t, known.Close())
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "namerd", Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	status, body := get(t, &http.Client{Transport: tr}, "https://"+addrs.Of("io.l5d.httpController")+"/api/1/dtabs")
	assert.Equal(t, 200, status)
	assert.Equal(t, "[\"default\"]\n", body)
}
