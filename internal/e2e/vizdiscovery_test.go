package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
)

// TestVizDiscovery gives a real Prometheus what the discovery of Consul and of Kubernetes
// finds, in a file: Debian's Prometheus is built without these. The shipped relabelling
// keeps the proxies, names them and scrapes them.
func TestVizDiscovery(t *testing.T) {
	dir := t.TempDir()
	m := vizServe(t, dir)
	_, port, _ := strings.Cut(m.addrs.Admin, ":")
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	// No two targets of one address and one set of labels are scraped twice.
	at := func(host string, labels ...string) group {
		g := group{Targets: []string{host + ":" + port}, Labels: map[string]string{}}
		for _, l := range labels {
			k, v, _ := strings.Cut(l, "=")
			g.Labels["__meta_"+k] = v
		}
		return g
	}
	pod := func(host, container, port, phase string) group {
		return at(host, "kubernetes_namespace=weft", "kubernetes_pod_name=p-"+host, "kubernetes_pod_node_name=node-1",
			"kubernetes_pod_phase="+phase, "kubernetes_pod_container_name="+container, "kubernetes_pod_container_port_name="+port)
	}
	for _, v := range []struct {
		file, discovery string
		found           []group
		want            []map[string]string
	}{
		{
			"consul.yml", "consul_sd_configs:\n  - server: localhost:8500\n",
			[]group{
				at("127.0.0.1", "consul_service=weft", "consul_dc=dc1"),
				at("localhost", "consul_service=my-linkerd", "consul_dc=dc2"),
				at("127.0.0.1", "consul_service=weft-admin", "consul_dc=dc1"),
				at("127.0.0.1", "consul_service=web", "consul_dc=dc1"),
			},
			[]map[string]string{
				{"job": "linkerd", "instance": "127.0.0.1", "dc": "dc1"},
				{"job": "linkerd", "instance": "localhost", "dc": "dc2"},
			},
		},
		{
			"kubernetes.yml", "kubernetes_sd_configs:\n  - role: pod\n",
			[]group{
				pod("127.0.0.1", "weft", "admin", "Running"),
				pod("localhost", "l5d", "admin", "Running"),
				pod("127.0.0.1", "weft", "incoming", "Running"),
				pod("127.0.0.1", "web", "admin", "Running"),
				pod("127.0.0.1", "linkerd", "admin", "Succeeded"),
			},
			[]map[string]string{
				{"job": "linkerd", "instance": "127.0.0.1", "namespace": "weft", "pod": "p-127.0.0.1", "node": "node-1"},
				{"job": "linkerd", "instance": "localhost", "namespace": "weft", "pod": "p-localhost", "node": "node-1"},
			},
		},
	} {
		t.Run(v.file, func(t *testing.T) {
			o := vizPrometheus(t, v.file, strings.NewReplacer(v.discovery, "file_sd_configs:\n  - files: [targets.json]\n"))
			require.Contains(t, o.Config, "targets.json")
			found, err := json.Marshal(v.found)
			require.NoError(t, err)
			o.Files["targets.json"] = string(found)
			p := servers.StartPrometheus(t, o)
			p.AwaitScrapes(len(v.want))
			var data struct {
				Active []struct{ Labels map[string]string } `json:"activeTargets"`
			}
			p.API("targets?state=active", &data)
			var got []map[string]string
			for _, a := range data.Active {
				got = append(got, a.Labels)
			}
			assert.ElementsMatch(t, v.want, got)
			assert.InDelta(t, 2, p.Value("count(jvm:uptime)"), 0)
		})
	}
}
