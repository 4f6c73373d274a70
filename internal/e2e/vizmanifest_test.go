package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/internal/servers"
)

// configMaps returns the data of the ConfigMaps of a manifest by their names.
func configMaps(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
		var m struct {
			Kind     string
			Metadata struct{ Name string }
			Data     map[string]string
		}
		err := dec.Decode(&m)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if m.Kind == "ConfigMap" {
			all[m.Metadata.Name] = m.Data
		}
	}
}

// pod makes a pod of the mesh on a node, as a kubelet would report it.
func (c *cluster) pod(name, phase string, n int) {
	c.t.Helper()
	c.kube.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: weft}
spec:
  nodeName: node-%d
  containers: [{name: weft, image: weft, ports: [{name: http, containerPort: 4140}, {name: admin, containerPort: 9990}]}]
`, name, n))
	path := "/api/v1/namespaces/weft/pods/" + name
	status, answer := c.kube.Do(http.MethodGet, path, nil)
	require.Equal(c.t, http.StatusOK, status, string(answer))
	var object map[string]any
	require.NoError(c.t, json.Unmarshal(answer, &object))
	object["status"] = map[string]any{"phase": phase, "podIP": proxyIP(n), "podIPs": []any{map[string]any{"ip": proxyIP(n)}}}
	body, err := json.Marshal(object)
	require.NoError(c.t, err)
	status, answer = c.kube.Do(http.MethodPut, path+"/status", body)
	require.Equal(c.t, http.StatusOK, status, string(answer))
}

// discovered is what Prometheus' kubernetes_sd_configs makes of the pods that an account may
// list, as a file for file_sd_configs: Debian's Prometheus has no discovery in Kubernetes.
func (c *cluster) discovered(token string) string {
	c.t.Helper()
	ask := func(path string, more ...string) string {
		return curl(c.t, nil, append([]string{"--cacert", c.kube.CAFile, "-H", "Authorization: Bearer " + token, c.kube.URL + path}, more...)...)
	}
	for path, want := range map[string]string{"/api/v1/secrets": "403", "/api/v1/pods?watch=true&timeoutSeconds=1": "200"} {
		require.Equal(c.t, want, ask(path, "-o", "/dev/null", "-w", "%{http_code}"), path)
	}
	var pods struct {
		Items []struct {
			Metadata struct{ Name, Namespace string }
			Spec     struct {
				NodeName   string
				Containers []struct {
					Name  string
					Ports []struct {
						Name          string
						ContainerPort int
					}
				}
			}
			Status struct{ Phase, PodIP string }
		}
	}
	require.NoError(c.t, json.Unmarshal([]byte(ask("/api/v1/pods")), &pods))
	type target struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	var all []target
	for _, p := range pods.Items {
		for _, container := range p.Spec.Containers {
			for _, port := range container.Ports {
				all = append(all, target{[]string{fmt.Sprintf("%s:%d", p.Status.PodIP, port.ContainerPort)}, map[string]string{
					"__meta_kubernetes_namespace": p.Metadata.Namespace, "__meta_kubernetes_pod_name": p.Metadata.Name,
					"__meta_kubernetes_pod_node_name": p.Spec.NodeName, "__meta_kubernetes_pod_phase": p.Status.Phase,
					"__meta_kubernetes_pod_container_name": container.Name, "__meta_kubernetes_pod_container_port_name": port.Name,
				}})
			}
		}
	}
	text, err := json.Marshal(all)
	require.NoError(c.t, err)
	return string(text)
}

// TestVizManifest applies the manifest of deploy/viz to an API server, with roles in force,
// and runs a Prometheus with what the manifest gives it: configuration, rules and rights.
// It keeps the proxies of all nodes and no other port, and what it has of them says where
// it is from.
func TestVizManifest(t *testing.T) {
	c := newCluster(t)
	manifest := readFile(t, "../../deploy/viz/kubernetes/viz.yaml")
	c.kube.Apply(readFile(t, manifests+"rbac.yaml"), manifest)
	account := c.kubeconfig("weft", "weft")
	c.service("weft", "weft-mesh", "incoming", 4141, proxyIP, 1, 2, 3)
	c.proxies(configOf(t, "mesh-per-host.yaml"), func(n int) []string {
		return []string{"KUBECONFIG=" + account, fmt.Sprintf("NODE_NAME=node-%d", n), "POD_IP=" + proxyIP(n), "POD_NAMESPACE=weft"}
	})
	for n := 1; n <= nodes; n++ {
		c.pod(fmt.Sprintf("weft-mesh-%d", n), "Running", n)
	}
	c.pod("weft-mesh-done", "Succeeded", 1)

	data := configMaps(t, manifest)
	config := data["prometheus"]["kubernetes.yml"]
	require.NotEmpty(t, data["prometheus-alerts"])
	files := map[string]string{"pods.json": c.discovered(c.token("weft-viz", "prometheus"))}
	for name, text := range data["prometheus-alerts"] {
		files["alerts/"+name] = text
	}
	for _, change := range [][2]string{ // what is so inside a pod only, or would take long
		{"kubernetes_sd_configs:\n  - role: pod", "file_sd_configs:\n  - files: [pods.json]"},
		{"../alerts/", "alerts/"},
		{"scrape_interval: 10s", "scrape_interval: 1s"},
	} {
		require.Contains(t, config, change[0])
		config = strings.Replace(config, change[0], change[1], 1)
	}
	prometheus := servers.StartPrometheus(t, servers.PrometheusOptions{Config: config, Files: files})

	for n := 1; n <= nodes; n++ {
		require.Contains(t, curl(t, []string{"http_proxy=" + proxyIP(n) + ":4140"}, "http://hello"), "node-")
	}
	require.Eventually(t, func() bool {
		return len(prometheus.Query(`rt:server:requests{rt="outgoing"} == 1`)) == nodes
	}, time.Minute, 100*time.Millisecond, "a request through the proxy of each node")
	up := prometheus.Query("up == 1")
	got := make([]string, 0, nodes)
	for _, s := range up {
		got = append(got, strings.Join([]string{s.Labels["job"], s.Labels["instance"], s.Labels["namespace"], s.Labels["pod"], s.Labels["node"]}, " "))
	}
	want := make([]string, 0, nodes)
	for n := 1; n <= nodes; n++ {
		want = append(want, fmt.Sprintf("linkerd %s weft weft-mesh-%d node-%d", proxyIP(n), n, n))
	}
	assert.ElementsMatch(t, want, got)
	assert.Len(t, prometheus.Query("up"), nodes, "neither other ports nor a pod that is done")
	clients := prometheus.Query(`sum by (client) (rt:client:requests{rt="outgoing"}) > 0`)
	require.Len(t, clients, 1)
	assert.Equal(t, "hello", clients[0].Labels["client"], "the short name")
	var rules struct{ Groups []json.RawMessage }
	prometheus.API("rules", &rules)
	assert.Len(t, rules.Groups, len(data["prometheus-alerts"]))
}
