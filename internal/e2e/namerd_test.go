package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
