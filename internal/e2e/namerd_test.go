package e2e_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// controlPlane is a namerd in this process, on free ports.
type controlPlane struct {
	daemon *daemon.Daemon
	addrs  daemon.Addrs
	stop   func()
}

// control runs a configuration of a namerd. ${dir} in it is a temporary directory, and
// port 0 any free port.
func control(t *testing.T, yaml string) *controlPlane {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.LoadNamerd("namerd.yaml", []byte(strings.ReplaceAll(yaml, "${dir}", t.TempDir())), config.Options{Registry: reg})
	require.NoError(t, err)
	d, err := daemon.New(cfg, daemon.Options{})
	require.NoError(t, err)
	c := &controlPlane{daemon: d}
	c.addrs, err = d.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(context.Background()) }()
	c.stop = func() {
		d.Shutdown(time.Second)
		err := <-ended
		ended <- err
		assert.NoError(t, err)
	}
	t.Cleanup(c.stop)
	return c
}

// interfaces is the part of a configuration that has all interfaces on free ports.
const interfaces = `
admin: {port: 0}
interfaces:
- {kind: io.l5d.httpController, port: 0}
- {kind: io.l5d.mesh, port: 0}
- {kind: io.l5d.thriftNameInterpreter, port: 0}
`

// http is the base URL of the HTTP API.
func (c *controlPlane) http() string { return "http://" + c.addrs.Of("io.l5d.httpController") }

// dst is where an interface is, as a path.
func (c *controlPlane) dst(kind string) string {
	return "/$/inet/" + strings.Replace(c.addrs.Of(kind), ":", "/", 1)
}

// client returns a client of the HTTP API.
func (c *controlPlane) client(t *testing.T) *client.Client {
	t.Helper()
	cl, err := client.New(c.http(), client.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// weftCLI runs a command line to its end and returns what it printed. Its status must be
// the given one.
func weftCLI(t *testing.T, status int, stdin string, args ...string) string {
	t.Helper()
	p := startWith(t, stdin, args...)
	<-p.exited
	require.Equal(t, status, p.cmd.ProcessState.ExitCode(), "weft %s\n%s%s", strings.Join(args, " "), p.stdout, p.stderr)
	return p.stdout.String()
}

// TestMutualTLSWithNamerd: every interpreter shows its certificate, and gets nowhere
// without one.
func TestMutualTLSWithNamerd(t *testing.T) {
	files := testcert.NewFiles(t, "namerd")
	disco := t.TempDir()
	write(t, filepath.Join(disco, "web"), endpointAt(t, "127.0.0.1:0", saying("web")).line())
	secured := "port: 0, tls: {certPath: '" + files.Cert + "', keyPath: '" + files.Key + "', caCertPath: '" + files.CA + "', requireClientAuth: true}"
	c := control(t, `
admin: {port: 0}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /#/io.l5d.fs}}
namers: [{kind: io.l5d.fs, rootDir: '`+disco+`'}]
interfaces: [{kind: io.l5d.httpController, `+secured+`}, {kind: io.l5d.mesh, `+secured+`}, {kind: io.l5d.thriftNameInterpreter, `+secured+`}]
`)
	auth := ", clientAuth: {certPath: '" + files.Cert + "', keyPath: '" + files.Key + "'}"
	for kind, api := range map[string]string{"io.l5d.mesh": "io.l5d.mesh", "io.l5d.namerd": "io.l5d.thriftNameInterpreter", "io.l5d.namerd.http": "io.l5d.httpController"} {
		trust := "trustCertsBundle: '" + files.CA + "'"
		if kind == "io.l5d.namerd" {
			trust = "caCert: '" + files.CA + "'"
		}
		in := "{kind: " + kind + ", experimental: true, dst: " + c.dst(api) + ", tls: {commonName: namerd, " + trust
		m := serve(t, `
admin: {port: 0}
routers:
- {protocol: http, label: known, interpreter: `+in+auth+`}}, servers: [{port: 0}]}
- {protocol: http, label: unknown, interpreter: `+in+`}}, bindingTimeoutMs: 500, servers: [{port: 0}]}
`)
		assert.Equal(t, "web", do(t, get(m.url("known"), "Host: web")).body, kind)
		r := do(t, get(m.url("unknown"), "Host: web"))
		assert.NotEqual(t, 200, r.status, kind)
		assert.Contains(t, r.body, "namerd cannot be asked: ", kind)
	}
}
