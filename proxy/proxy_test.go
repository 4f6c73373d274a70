package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load loads a configuration that must be right.
func load(t *testing.T, yaml string) *config.Linker {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	return cfg
}

func newProxy(t *testing.T, yaml string, opts proxy.Options) *proxy.Proxy {
	t.Helper()
	p, err := proxy.New(load(t, yaml), opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

const small = `
admin: {port: 0}
routers:
- {protocol: http, dtab: /svc/* => /$/inet/127.1/1, servers: [{port: 0}, {port: 0}]}
- {protocol: http, label: other, servers: [{port: 0}]}
`

// fetch makes a request on a connection of its own.
func fetch(t *testing.T, url string) (int, string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func refused(t *testing.T, a proxy.Addrs) {
	t.Helper()
	for _, addr := range append(append(a.Servers["http"], a.Servers["other"]...), a.Admin) {
		c, err := net.Dial("tcp", addr)
		if !assert.Error(t, err, "%s still accepts", addr) {
			_ = c.Close()
		}
	}
}

func TestLife(t *testing.T) {
	ends := map[string]func(*proxy.Proxy, context.CancelFunc){
		"the context ends":   func(_ *proxy.Proxy, cancel context.CancelFunc) { cancel() },
		"Shutdown":           func(p *proxy.Proxy, _ context.CancelFunc) { p.Shutdown(time.Second); p.Shutdown(0) },
		"Close":              func(p *proxy.Proxy, _ context.CancelFunc) { _ = p.Close(); _ = p.Close() },
		"Shutdown and Close": func(p *proxy.Proxy, _ context.CancelFunc) { p.Shutdown(time.Second); _ = p.Close() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, small, proxy.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			require.ErrorIs(t, p.Wait(ctx), proxy.ErrNotStarted)
			addrs, err := p.Start()
			require.NoError(t, err)
			_, err = p.Start()
			require.ErrorIs(t, err, proxy.ErrStarted)
			assert.Len(t, addrs.Servers["http"], 2)
			assert.Len(t, addrs.Servers["other"], 1)
			status, body, err := fetch(t, "http://"+addrs.Admin+"/admin/ping")
			require.NoError(t, err)
			assert.Equal(t, "200 pong", fmt.Sprint(status, " ", body))

			ended := make(chan error)
			go func() { ended <- p.Wait(ctx) }()
			end(p, cancel)
			require.NoError(t, <-ended)
			require.NoError(t, p.Wait(t.Context()), "again")
			require.NoError(t, p.Close())
			refused(t, addrs)
			_, err = p.Start()
			require.ErrorIs(t, err, proxy.ErrClosed)
		})
	}
}

func TestCloseWithoutStart(t *testing.T) {
	p := newProxy(t, small, proxy.Options{})
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Run(t.Context()), proxy.ErrClosed)
}

func TestCloseWithoutWait(t *testing.T) {
	p := newProxy(t, small, proxy.Options{})
	addrs, err := p.Start()
	require.NoError(t, err)
	require.NoError(t, p.Close())
	refused(t, addrs)
}

func TestShutdownBeforeStart(t *testing.T) {
	p := newProxy(t, small, proxy.Options{})
	p.Shutdown(time.Second)
	require.NoError(t, p.Run(t.Context()))
}

func TestListenErrorsReleaseEverything(t *testing.T) {
	for n := range 4 { // three servers and the admin server
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var opened []net.Listener
			p := newProxy(t, small, proxy.Options{Listen: func(network, address string) (net.Listener, error) {
				if len(opened) == n {
					return nil, errors.New("no more")
				}
				l, err := net.Listen(network, address)
				opened = append(opened, l)
				return l, err
			}})
			err := p.Run(t.Context())
			require.ErrorContains(t, err, "no more")
			assert.True(t, strings.HasPrefix(err.Error(), "proxy: router ") || strings.HasPrefix(err.Error(), "proxy: admin"), err)
			for _, l := range opened {
				_, err := l.Accept()
				require.ErrorIs(t, err, net.ErrClosed)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	p := newProxy(t, fmt.Sprintf("admin: {port: 0}\nrouters: [{protocol: http, servers: [{port: %d}]}]", l.Addr().(*net.TCPAddr).Port), proxy.Options{})
	require.ErrorContains(t, p.Run(t.Context()), "address already in use")
}

// brokenListener fails after it has been opened.
type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("broken") }

func TestAListenerThatFailsEndsTheProxy(t *testing.T) {
	p := newProxy(t, small, proxy.Options{Listen: func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return brokenListener{l}, err
	}})
	require.ErrorContains(t, p.Run(t.Context()), "broken")
}

func TestNewFails(t *testing.T) {
	dir := t.TempDir()
	broken := config.Define(config.RoleNamer, "broken", func(struct{}, plugin.NamerEnv) (naming.Namer, error) {
		return nil, errors.New("no such luck")
	}, config.Traits{})
	reg, err := standard.Registry(broken)
	require.NoError(t, err)
	cfg, err := config.Load("x", []byte("namers: [{kind: io.l5d.fs, rootDir: "+dir+"}, {kind: broken}]\nrouters: [{protocol: http, servers: [{port: 0}]}]"), config.Options{Registry: reg})
	require.NoError(t, err)
	_, err = proxy.New(cfg, proxy.Options{})
	require.ErrorContains(t, err, "no such luck") // and goleak sees that the first namer was closed
}

func TestOnlyTheAccessLogsThatCanBeOpened(t *testing.T) {
	dir := t.TempDir()
	cfg := "admin: {port: 0}\nrouters: [{protocol: http, httpAccessLog: " + dir + ", servers: [{port: 0}]}]"
	err := newProxy(t, cfg, proxy.Options{}).Run(t.Context())
	require.ErrorContains(t, err, "is a directory")
}

func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	p := newProxy(t, "admin: {port: 0}\nrouters: [{protocol: http, httpAccessLog: "+file+", servers: [{port: 0}]}]", proxy.Options{})
	_, err := p.Start()
	require.NoError(t, err)
	require.Eventually(t, func() bool { return os.Remove(file) == nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, p.Reopen())
	_, err = os.Stat(file)
	require.NoError(t, err)
}

func TestHTTPIdentifierPort(t *testing.T) {
	var ports []string
	p := newProxy(t, "admin: {port: 0, httpIdentifierPort: 0}\nrouters:\n"+
		"- {protocol: http, dstPrefix: /h, servers: [{port: 0}]}\n"+
		"- {protocol: http, label: path, identifier: {kind: io.l5d.path}, servers: [{port: 0}]}\n",
		proxy.Options{Listen: func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			ports = append(ports, l.Addr().String())
			return l, err
		}})
	_, err := p.Start()
	require.NoError(t, err)
	require.Len(t, ports, 4)
	host := ports[3]
	_, body, err := fetch(t, "http://"+host+"/seg/x")
	require.NoError(t, err)
	assert.JSONEq(t, `{"http": {"path": "/h/`+host+`"}, "path": {"path": "/svc/seg"}}`, body)
	_, body, err = fetch(t, "http://"+host+"/")
	require.NoError(t, err)
	assert.Contains(t, body, `"path":{"error":"`)
}

func TestAdminShowsTheProxy(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte("127.0.0.1 1\n"), 0o644))
	p := newProxy(t, `
admin: {port: 0, security: {pathBlacklist: [/help]}}
namers: [{kind: io.l5d.fs, rootDir: `+dir+`}]
telemetry:
- {kind: io.l5d.prometheus, prefix: weft_}
- {kind: io.l5d.recentRequests, sampleRate: 1.0}
usage: {orgId: mine}
routers:
- {protocol: http, originator: true, dtab: /svc => /#/io.l5d.fs, servers: [{port: 0}]}
`, proxy.Options{Version: "1.2.3", Logger: slog.New(slog.DiscardHandler)})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		p.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for _, row := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, "1.2.3"},
		{"/admin/ping", 200, "pong"},
		{"/admin/metrics.json", 200, `"rt/http/originator":1`},
		{"/admin/metrics/prometheus", 200, "weft_"},
		{"/admin/metrics/usage", 200, `"orgId":"mine"`},
		{"/config.json", 200, `"rootDir"`},
		{"/bound-names.json", 200, `["/#/io.l5d.fs/web"]`},
		{"/delegator.json?namespace=http&dtab=/svc=>/%23/io.l5d.fs&path=/svc/web", 200, `"ip":"127.0.0.1"`},
		{"/delegator.json?namespace=http&path=/svc/web", 200, `"type":"neg"`},
		{"/requests", 200, ""},
		{"/client_state.json", 200, "{}"},
		{"/help", 404, ""},
	} {
		status, body := get(row.path)
		assert.Equal(t, row.status, status, "%s: %s", row.path, body)
		assert.Contains(t, body, row.want, row.path)
	}
	assert.Len(t, p.Routers(), 1)
	assert.NotNil(t, p.Tree())
}
