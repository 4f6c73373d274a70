package e2e_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/portlock"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/testtool"
)

// nodes is the number of machines that the cluster pretends to have. The pods of node
// n have the addresses 10.77.n.0/24: the proxy .2, the application .10.
const nodes = 3

func proxyIP(n int) string { return fmt.Sprintf("10.77.%d.2", n) }
func podIP(n int) string   { return fmt.Sprintf("10.77.%d.10", n) }

// cluster is an API server that holds the services hello and, for the proxies, one
// more, and the applications of hello.
type cluster struct {
	t    *testing.T
	kube *servers.Kube
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	servers.Addresses(t)
	c := &cluster{t: t, kube: servers.StartKube(t, servers.KubeOptions{RBAC: true})}
	for n := range nodes {
		c.application(n + 1)
	}
	c.service("default", "hello", "http", 8080, podIP, 1, 2, 3)
	return c
}

// application serves hello on one node: it says which, and what the proxy before it
// called the name.
func (c *cluster) application(n int) {
	c.t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(podIP(n), "8080"))
	require.NoError(c.t, err)
	s := &http.Server{ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "node-%d %s %s %d", n, r.Proto, r.Header.Get("L5d-Dst-Client"), strings.Count(r.Header.Get("Via"), "linkerd"))
	})}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(ln) }()
	c.t.Cleanup(func() { _ = s.Close() })
}

// service makes a service with one named port and an endpoint on each node.
func (c *cluster) service(namespace, name, port string, number int, ip func(int) string, on ...int) {
	c.t.Helper()
	c.kube.Apply(fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec: {ports: [{name: %s, port: %d}]}
`, name, namespace, port, number))
	c.slice(namespace, name, port, number, ip, on...)
}

// slice makes the endpoints of a service those on some nodes.
func (c *cluster) slice(namespace, name, port string, number int, ip func(int) string, on ...int) {
	c.t.Helper()
	var endpoints []string
	for _, n := range on {
		endpoints = append(endpoints, fmt.Sprintf("{addresses: [%s], nodeName: node-%d, conditions: {ready: true}}", ip(n), n))
	}
	c.kube.Apply(fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-%[3]s, namespace: %[2]s, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: %[3]s, port: %[4]d, protocol: TCP}]
endpoints: [%[5]s]
`, name, namespace, port, number, strings.Join(endpoints, ", ")))
}

// kubectlProxy serves the API in plain HTTP at localhost:8001, as kubectl proxy does.
func (c *cluster) kubectlProxy() {
	c.t.Helper()
	to, err := url.Parse(c.kube.URL)
	require.NoError(c.t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:8001")
	require.NoError(c.t, err)
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Authorization", "Bearer "+servers.KubeAdmin)
		},
		FlushInterval: -1,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}, //nolint:gosec // it was started here
	}}
	go func() { _ = s.Serve(ln) }()
	c.t.Cleanup(func() { _ = s.Close() })
}

// curl asks for a page as a user would and returns what comes back.
func curl(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testtool.Installed(t, "curl", "curl"), append([]string{"-sS", "--max-time", "20"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// proxies runs the configuration on each node, with the addresses that a machine can
// bind only once replaced by the node's.
func (c *cluster) proxies(text string, env func(n int) []string) {
	c.t.Helper()
	for n := 1; n <= nodes; n++ {
		dir := c.t.TempDir()
		own := strings.ReplaceAll(text, "0.0.0.0", proxyIP(n))
		if !strings.Contains(own, "admin: {") {
			own = strings.Replace(own, "admin:\n  port: 9990", "admin:\n  ip: "+proxyIP(n)+"\n  port: 9990", 1)
		}
		write(c.t, filepath.Join(dir, "config.yaml"), own)
		p := start(c.t, dir, env(n), "run", "config.yaml")
		admin := "http://" + proxyIP(n) + ":9990"
		p.eventually(c.t, limit, func() bool {
			r, err := try(get(admin + "/admin/ping"))
			return err == nil && r.body == "pong"
		}, "no pong")
		c.t.Cleanup(func() {
			if !c.t.Failed() {
				require.Equal(c.t, 200, do(c.t, request("POST", admin+"/admin/shutdown")).status)
				require.NoError(c.t, p.wait(c.t))
			}
		})
	}
}

// TestPublishedServiceMesh runs k8s-servicemesh.yaml as it was published, but for the
// addresses that it binds, on three nodes: what is sent to the proxy of any node goes to
// the proxy of the node of the pod that was chosen, and from there to that pod.
func TestPublishedServiceMesh(t *testing.T) {
	portlock.Acquire(t, 8001)
	c := newCluster(t)
	c.kubectlProxy()
	c.service("default", "l5d", "incoming", 4141, proxyIP, 1, 2, 3)
	text := readFile(t, "../../proxy/config/testdata/corpus/linkerd/k8s-servicemesh.yaml")
	c.proxies(text, func(n int) []string { return []string{"POD_IP=" + proxyIP(n)} })

	arrives := func(n int, got string) {
		t.Helper()
		for k := 1; k <= nodes; k++ {
			if got == fmt.Sprintf("node-%d HTTP/1.1 /%%/io.l5d.k8s.localnode/%s/#/io.l5d.k8s/default/http/hello 2", k, proxyIP(k)) {
				return
			}
		}
		require.Failf(t, "went astray", "asked on node %d: %s", n, got)
	}
	seen := map[string]bool{}
	for n := 1; n <= nodes; n++ {
		proxy := []string{"http_proxy=" + proxyIP(n) + ":4140"}
		for range 8 {
			got := curl(t, proxy, "http://hello")
			arrives(n, got)
			seen[strings.Fields(got)[0]] = true
		}
	}
	assert.Len(t, seen, nodes, "all nodes have their share")

	// A pod goes: nothing fails, and soon nothing goes there.
	c.slice("default", "hello", "http", 8080, podIP, 1, 3)
	quiet := 0
	for deadline := time.Now().Add(limit); quiet < 30; {
		got := curl(t, []string{"http_proxy=" + proxyIP(1) + ":4140"}, "http://hello")
		arrives(1, got)
		if quiet++; strings.HasPrefix(got, "node-2 ") {
			quiet = 0
		}
		require.False(t, time.Now().After(deadline), "requests still go to the pod that is gone")
	}
	// It comes back.
	c.slice("default", "hello", "http", 8080, podIP, 1, 2, 3)
	for deadline := time.Now().Add(limit); ; {
		got := curl(t, []string{"http_proxy=" + proxyIP(3) + ":4140"}, "http://hello")
		arrives(3, got)
		if strings.HasPrefix(got, "node-2 ") {
			break
		}
		require.False(t, time.Now().After(deadline), "nothing goes to the pod that is back")
	}
	d := do(t, get("http://"+proxyIP(1)+":9990/discovery.json"))
	assert.Contains(t, d.body, `"version":"`)
	assert.Contains(t, d.body, "hello")
}
