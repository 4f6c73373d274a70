package uitools_test

import (
	"context"
	"fmt"
	"io"
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

	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/admin"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// world is two proxies, one of them behind a namerd, in front of three services that
// answer with their names; and a namerd whose admin server lets no changes through.
type world struct {
	proxyAdmin, meshAdmin, namerdAdmin, closedAdmin, namerdAPI string // with a slash at the end
	proxy, mesh                                                string
}

const rules = "/srv => /#/io.l5d.fs ; /host => /srv ; /host/broken => /$/fail ; /host/split => 9 * /srv/world & 1 * /srv/world-v2 ; " +
	"/host/alt => /srv/nope | /srv/world | /srv/web ; /svc => /host"

func newWorld(t *testing.T) *world {
	t.Helper()
	disco := t.TempDir()
	for _, name := range []string{"world", "world-v2", "web"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
		t.Cleanup(s.Close)
		addr := s.Listener.Addr().(*net.TCPAddr)
		require.NoError(t, os.WriteFile(filepath.Join(disco, name), fmt.Appendf(nil, "%s %d\n", addr.IP, addr.Port), 0o600))
	}
	w := &world{}
	namers := fmt.Sprintf("namers: [{kind: io.l5d.fs, rootDir: '%s'}]\n", disco)

	p := startProxy(t, `
admin: {port: 0}
telemetry: [{kind: io.l5d.recentRequests, sampleRate: 1.0, capacity: 20}]
`+namers+`
routers:
- {protocol: http, label: outgoing, dtab: '`+rules+`', servers: [{port: 0}]}
- {protocol: http, label: incoming, dtab: '/svc => /#/io.l5d.fs', servers: [{port: 0}]}
`)
	w.proxyAdmin, w.proxy = "http://"+p.Admin+"/", "http://"+p.Servers["outgoing"][0]

	const storage = "storage: {kind: io.l5d.inMemory, namespaces: {default: '/srv => /#/io.l5d.fs ; /host => /srv ; /svc => /host', empty: ''}}\n"
	n := startNamerd(t, "admin: {port: 0}\n"+storage+namers+"interfaces: [{kind: io.l5d.mesh, port: 0, ip: 127.0.0.1}, {kind: io.l5d.httpController, port: 0}]\n")
	w.namerdAdmin, w.namerdAPI = "http://"+n.Admin+"/", "http://"+n.Of("io.l5d.httpController")+"/"
	closed := startNamerd(t, "admin: {port: 0, security: {controlEnabled: false}}\n"+storage+namers+"interfaces: [{kind: io.l5d.mesh, port: 0, ip: 127.0.0.1}]\n")
	w.closedAdmin = "http://" + closed.Admin + "/"

	host, port, _ := strings.Cut(n.Of("io.l5d.mesh"), ":")
	m := startProxy(t, `
admin: {port: 0}
routers:
- protocol: http
  label: meshed
  dtab: /local => /svc
  interpreter: {kind: io.l5d.mesh, dst: '/$/inet/`+host+`/`+port+`', root: /default}
  servers: [{port: 0}]
`)
	w.meshAdmin, w.mesh = "http://"+m.Admin+"/", "http://"+m.Servers["meshed"][0]
	return w
}

func startProxy(t *testing.T, yaml string) proxy.Addrs {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{Version: "1.2.3-test", Levels: &admin.Levels{}})
	require.NoError(t, err)
	addrs, err := p.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(context.Background()) }()
	t.Cleanup(func() {
		p.Shutdown(5 * time.Second)
		assert.NoError(t, <-ended)
	})
	return addrs
}

func startNamerd(t *testing.T, yaml string) daemon.Addrs {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.LoadNamerd("namerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	d, err := daemon.New(cfg, daemon.Options{Version: "1.2.3-test", Levels: &admin.Levels{}})
	require.NoError(t, err)
	addrs, err := d.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(context.Background()) }()
	t.Cleanup(func() {
		d.Shutdown(5 * time.Second)
		assert.NoError(t, <-ended)
	})
	return addrs
}
