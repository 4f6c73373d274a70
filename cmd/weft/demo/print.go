package demo

import (
	"fmt"
	"strings"
)

// Override is the per-request dtab that the demo tells to try: it is set at the
// edge and acts two hops further down.
const Override = "/svc/world => /srv/world-v2"

// Rules are those of the incoming router. Shift are these and one that sends a tenth of
// the traffic of world to world-v2.
const (
	Rules = "/srv => /#/io.l5d.fs ; /svc => /srv"
	Shift = Rules + " ; /svc/world => 9 * /srv/world & 1 * /srv/world-v2"
)

// Viz is the file that starts Prometheus and Grafana for the demo.
const Viz = "deploy/viz/docker-compose.yml"

// print tells what runs and what to try.
func (d *demo) print() {
	m := d.mesh
	fmt.Fprintf(d.out, `
weft demo: two applications, the mesh between them and its control plane, in this process

  you → outgoing %[1]s → incoming %[2]s → hello → outgoing → incoming → world

Call hello, which calls world:

  http_proxy=%[1]s curl http://hello

Override a name for one request. The override travels with it, through hello, and
sends the call of world, two hops down, to world-v2:

  http_proxy=%[1]s curl -H 'l5d-dtab: %[6]s' http://hello

Shift 10 %% of world's traffic to world-v2, for everybody, without a restart, by one more
rule in the control plane:

  curl -X PUT -H 'Content-Type: application/dtab' -d '%[7]s' http://%[11]s/api/1/dtabs/%[12]s
  for i in $(seq 20); do http_proxy=%[1]s curl -s http://hello; done

The same in a browser or an editor, which show what will change before it is saved:

  http://%[4]s/dtab/%[12]s
  weft dtab edit %[12]s --base-url http://%[11]s

See why a request goes where it goes:

  weft explain %[5]s / -H 'Host: world' --router incoming

Look at it: dashboard http://%[3]s/, metrics http://%[3]s/admin/metrics.json?pretty=1

Have it in Grafana, http://localhost:3000 (in a checkout of weft; docs/viz.md):

  docker compose -f %[9]s up%[10]s

Names are the files in %[8]s. Ctrl-C ends the demo.

`, m.Outgoing, m.Incoming, m.Admin, m.NamerdAdmin, m.Config, Override, Shift, m.Disco, Viz, d.vizHint(), m.Namerd, Namespace)
}

// vizHint says what else is to do if Prometheus would not find the demo.
func (d *demo) vizHint() string {
	if strings.HasSuffix(d.mesh.Admin, ":9990") {
		return ""
	}
	return "    # with '" + d.mesh.Admin + "' for 'localhost:9990' in prometheus/static.yml beside it"
}
