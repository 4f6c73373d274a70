package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deployment is the published story of continuous deployment: hello calls world
// through the mesh, from outside hello is called through it too, and the namespaces
// external and internal of a namerd say where names lead.
type deployment struct {
	t       *testing.T
	dir     string // what the namers of namerd see
	control *controlPlane
	mesh    *mesh
	base    string // flag of weft dtab
	broken  atomic.Bool
	worlds  map[string]*endpoint
}

func newDeployment(t *testing.T, interpreter string) *deployment {
	t.Helper()
	d := &deployment{t: t, dir: t.TempDir(), worlds: map[string]*endpoint{}}
	d.control = control(t, interfaces+`
storage: {kind: io.weft.file, path: '${dir}/namerd.db'}
namers: [{kind: io.l5d.fs, rootDir: '`+d.dir+`'}]
`)
	d.base = "--base-url=" + d.control.http()
	weftCLI(t, 0, "/srv => /#/io.l5d.fs ;\n/host => /srv ;\n/svc => /host ;\n/host/world => /srv/world-v1 ;\n", "dtab", d.base, "create", "internal", "-")
	weftCLI(t, 0, "/srv => /#/io.l5d.fs ;\n/svc/www.example.com => /srv/hello ;\n", "dtab", d.base, "create", "external", "-")

	kind, ns := interpreter, func(n string) string { return "namespace: " + n }
	api := map[string]string{"io.l5d.mesh": "io.l5d.mesh", "io.l5d.namerd": "io.l5d.thriftNameInterpreter", "io.l5d.namerd.http": "io.l5d.httpController"}[kind]
	if kind == "io.l5d.mesh" {
		ns = func(n string) string { return "root: /" + n }
	}
	in := func(n string) string {
		return fmt.Sprintf("{kind: %s, experimental: true, dst: %s, %s}", kind, d.control.dst(api), ns(n))
	}
	d.mesh = serve(t, `
admin: {port: 0}
telemetry: [{kind: io.l5d.prometheus}]
routers:
- {protocol: http, label: external, interpreter: `+in("external")+`, servers: [{port: 0}]}
- {protocol: http, label: outgoing, interpreter: `+in("internal")+`, servers: [{port: 0}]}
`)
	d.world("world-v1")
	outgoing := pooled(t)
	hello := endpointAt(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, d.mesh.url("outgoing"), http.NoBody)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		req.Host = "world"
		for name, values := range r.Header { // as the published applications do
			if strings.HasPrefix(name, "L5d-Ctx-") {
				req.Header[name] = values
			}
		}
		rsp, err := outgoing.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer rsp.Body.Close()
		text, _ := io.ReadAll(rsp.Body)
		w.WriteHeader(rsp.StatusCode)
		fmt.Fprintf(w, "hello %s", text)
	})
	write(t, filepath.Join(d.dir, "hello"), hello.line())
	return d
}

// world starts an instance of world and makes it known.
func (d *deployment) world(version string) {
	d.t.Helper()
	d.worlds[version] = endpointAt(d.t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
		if d.broken.Load() && version == "world-v2" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, version)
	})
	write(d.t, filepath.Join(d.dir, version), d.worlds[version].line())
}

// call asks for hello from outside.
func (d *deployment) call(headers ...string) call {
	return get(d.mesh.url("external"), append([]string{"Host: www.example.com"}, headers...)...)
}

// share asks n times and returns how many answers came from world-v2.
func (d *deployment) share(n int) int {
	d.t.Helper()
	var v2, other atomic.Int32
	var callers sync.WaitGroup
	client := pooled(d.t)
	for i := range min(n, 10) {
		callers.Go(func() {
			for range (n - i + 9) / 10 {
				switch r, err := d.call().with(client); {
				case err == nil && r.status == http.StatusOK && r.body == "hello world-v2":
					v2.Add(1)
				case err != nil || r.status != http.StatusOK || r.body != "hello world-v1":
					other.Add(1)
				}
			}
		})
	}
	callers.Wait()
	require.Zero(d.t, other.Load(), "answers that are neither version's")
	return int(v2.Load())
}

// rule sets where world leads, as a script would: with jq in the original.
func (d *deployment) rule(dst string) {
	d.t.Helper()
	version, _, _ := strings.Cut(weftCLI(d.t, 0, "", "dtab", d.base, "get", "internal"), "\n")
	version = strings.TrimPrefix(version, "# version ")
	require.Equal(d.t, "Updated internal\n", weftCLI(d.t, 0,
		"/srv => /#/io.l5d.fs ;\n/host => /srv ;\n/svc => /host ;\n/host/world => "+dst+" ;\n",
		"dtab", d.base, "update", "internal", "-", "--version", version))
}

// TestDeployment is the story by hand, over each of the interpreters.
func TestDeployment(t *testing.T) {
	for _, interpreter := range []string{"io.l5d.mesh", "io.l5d.namerd", "io.l5d.namerd.http"} {
		t.Run(interpreter, func(t *testing.T) {
			d := newDeployment(t, interpreter)
			require.Equal(t, "hello world-v1", do(t, d.call()).body)
			traffic := startLoad(t, pooled(t), 200, func(int) call { return d.call() })
			traffic.more(t, 100)

			d.world("world-v2")
			eventually(t, func() bool {
				return do(t, d.call("l5d-dtab: /host/world => /srv/world-v2")).body == "hello world-v2"
			}, "the override reaches world-v2 through two hops")
			assert.Zero(t, d.share(50), "nobody else is sent there")

			d.rule("1 * /srv/world-v2 & 9 * /srv/world-v1")
			eventually(t, func() bool { return do(t, d.call()).body == "hello world-v2" }, "traffic is shifted")
			assert.InDelta(t, 200, d.share(2000), 60, "10 % ± 3 %")

			d.rule("/srv/world-v2")
			eventually(t, func() bool { return d.share(20) == 20 }, "everything goes to world-v2")
			require.NoError(t, os.Remove(filepath.Join(d.dir, "world-v1"))) // torn down: not known first, gone then
			time.Sleep(200 * time.Millisecond)
			_ = d.worlds["world-v1"].server.Close()
			assert.Equal(t, 200, d.share(200))
			traffic.more(t, 50)
			traffic.mustNotFail(t)
		})
	}
}

// rollout runs weft rollout start with short steps.
func (d *deployment) rollout(status int, more ...string) string {
	d.t.Helper()
	return weftCLI(d.t, status, "", append([]string{
		"rollout", "start", d.base, "--namespace", "internal", "--rule", "/host/world", "--new", "/srv/world-v2",
		"--proxy", "http://" + d.mesh.addrs.Admin, "--steps", "10%,50%,100%", "--watch-for", "3s", "--interval", "200ms", "--min-requests", "20", "--max-latency-factor", "-1", "--yes",
	}, more...)...)
}

// TestRollout is the story with weft rollout: a version that works is promoted, and
// one that does not is taken back within the step in which that shows.
func TestRollout(t *testing.T) {
	t.Run("promoted", func(t *testing.T) {
		d := newDeployment(t, "io.l5d.mesh")
		d.world("world-v2")
		traffic := startLoad(t, pooled(t), 200, func(int) call { return d.call() })
		traffic.more(t, 50)
		d.rollout(0)
		assert.Contains(t, weftCLI(t, 0, "", "dtab", d.base, "get", "internal"), "/host/world  => /srv/world-v2 ;")
		assert.Equal(t, "external\ninternal\n", weftCLI(t, 0, "", "dtab", d.base, "list"), "the state of the rollout is gone")
		eventually(t, func() bool { return d.share(20) == 20 }, "everything goes to world-v2")
		traffic.mustNotFail(t)
	})
	t.Run("taken back", func(t *testing.T) {
		d := newDeployment(t, "io.l5d.mesh")
		d.world("world-v2")
		d.broken.Store(true)
		traffic := startLoad(t, pooled(t), 200, func(int) call { return d.call() })
		traffic.more(t, 50)
		out := d.rollout(10)
		assert.NotContains(t, out, "50 %", "it does not get beyond the step in which the breach shows")
		assert.Contains(t, weftCLI(t, 0, "", "dtab", d.base, "get", "internal"), "/host/world  => /srv/world-v1 ;")
		traffic.stop()
		failed := len(traffic.failed)
		t.Logf("%d of %d requests met the broken version", failed, traffic.count())
		assert.Less(t, float64(failed), 0.25*float64(traffic.count()))
		eventually(t, func() bool { return do(t, d.call()).body == "hello world-v1" }, "everything goes to world-v1")
		assert.Zero(t, d.share(50))
	})
}
