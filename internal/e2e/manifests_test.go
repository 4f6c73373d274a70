package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/weft-mesh/weft/internal/portlock"
)

const manifests = "../../deploy/kubernetes/"

// configOf returns the configuration in the ConfigMap of a manifest.
func configOf(t *testing.T, file string) string {
	t.Helper()
	for dec := yaml.NewDecoder(strings.NewReader(readFile(t, manifests+file))); ; {
		var m struct {
			Kind string            `yaml:"kind"`
			Data map[string]string `yaml:"data"`
		}
		err := dec.Decode(&m)
		if errors.Is(err, io.EOF) {
			require.FailNow(t, "no ConfigMap in "+file)
		}
		require.NoError(t, err)
		if m.Kind == "ConfigMap" {
			return m.Data["config.yaml"]
		}
	}
}

// token returns a token of a service account.
func (c *cluster) token(namespace, account string) string {
	c.t.Helper()
	status, answer := c.kube.Do(http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+account+"/token",
		[]byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}`))
	require.Equal(c.t, http.StatusCreated, status, string(answer))
	var r struct{ Status struct{ Token string } }
	require.NoError(c.t, json.Unmarshal(answer, &r))
	return r.Status.Token
}

// kubeconfig returns a file with a token of a service account, for a proxy that finds
// the API server as one does that runs in no pod.
func (c *cluster) kubeconfig(namespace, account string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "kubeconfig")
	write(c.t, path, fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: me, user: {token: %q}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
current-context: here
`, c.kube.URL, c.kube.CAFile, c.token(namespace, account)))
	return path
}

// greeter is a gRPC service that says on which node it runs.
type greeter struct {
	grpc_health_v1.UnimplementedHealthServer
	node int
}

// Check implements the service.
func (g *greeter) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("node", fmt.Sprint(g.node), "client", strings.Join(md.Get("l5d-dst-client"), ",")))
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func (c *cluster) greeter(n int) {
	c.t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(podIP(n), "8082"))
	require.NoError(c.t, err)
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, &greeter{node: n})
	go func() { _ = s.Serve(ln) }()
	c.t.Cleanup(s.Stop)
}

// TestManifests applies the manifests of deploy/kubernetes to an API server, with
// roles in force, and runs the mesh's configuration on three nodes with the rights
// that the manifests give: HTTP/1, HTTP/2, gRPC and what comes through an Ingress go
// from one proxy to that of the node of the chosen pod, and from there to that pod.
func TestManifests(t *testing.T) {
	c := newCluster(t)
	for _, f := range []string{"rbac.yaml", "mesh-per-host.yaml", "sidecar.yaml", "ingress.yaml"} {
		c.kube.Apply(readFile(t, manifests+f))
	}
	// The kind DTab is there a moment after its definition.
	c.kube.Apply(readFile(t, manifests+"dtab-crd.yaml"))
	c.kube.Apply(readFile(t, manifests+"namerd.yaml"))
	require.Eventually(t, func() bool {
		status, _ := c.kube.Do(http.MethodGet, "/apis/l5d.io/v1alpha1/namespaces/weft/dtabs", nil)
		return status == http.StatusOK
	}, limit, 20*time.Millisecond)
	for _, f := range []string{"mesh-per-host-namerd.yaml", "ingress-namerd.yaml"} {
		c.kube.Apply(readFile(t, manifests+f))
	}

	// What controllers and kubelets would make of them. The sidecar's Service hello is
	// not this test's.
	c.service("default", "hello", "http", 8080, podIP, 1, 2, 3)
	c.slice("default", "hello", "grpc", 8080, podIP, 1, 2, 3)
	for n := 1; n <= nodes; n++ {
		c.greeter(n)
	}
	c.service("default", "greeter", "grpc", 8082, podIP, 1, 2, 3)
	c.slice("weft", "weft-mesh", "incoming", 4141, proxyIP, 1, 2, 3)
	c.slice("weft", "weft-mesh", "incoming-h2", 4241, proxyIP, 1, 2, 3)
	c.kube.Apply(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hello, namespace: default}
spec:
  ingressClassName: linkerd
  rules:
  - host: hello.example.com
    http: {paths: [{path: /web, pathType: Prefix, backend: {service: {name: hello, port: {name: http}}}}]}
`)
	config := configOf(t, "mesh-per-host.yaml")
	account := c.kubeconfig("weft", "weft")
	c.proxies(config, func(n int) []string {
		return []string{"KUBECONFIG=" + account, fmt.Sprintf("NODE_NAME=node-%d", n), "POD_IP=" + proxyIP(n), "POD_NAMESPACE=weft"}
	})

	// From the proxy of every node to all three pods; the id says that the last proxy was
	// that of the pod's node.
	spread := func(what, id string, ask func(n int) string) {
		t.Helper()
		seen := map[string]bool{}
		for n := 1; n <= nodes; n++ {
			for range 8 {
				got := ask(n)
				node := strings.Fields(got)[0]
				seen[node] = true
				require.Contains(t, got, " /%/io.l5d.k8s.localnode/"+node+id+" 2", "%s: asked on node %d", what, n)
			}
		}
		assert.Len(t, seen, nodes, "%s: all nodes have their share", what)
	}
	spread("http", "/#/io.l5d.k8s/default/http/hello", func(n int) string {
		return curl(t, []string{"http_proxy=" + proxyIP(n) + ":4140"}, "http://hello")
	})
	spread("h2", "/#/io.l5d.k8s/default/grpc/hello", func(n int) string {
		return curl(t, nil, "--http2-prior-knowledge", "-H", "Host: hello", "http://"+proxyIP(n)+":4240/")
	})
	spread("ingress", "/#/io.l5d.k8s/default/http/hello", func(n int) string {
		return curl(t, nil, "-H", "Host: hello.example.com", "http://"+proxyIP(n)+":4142/web/page")
	})
	spread("gRPC", "/#/io.l5d.k8s/default/grpc/greeter", func(n int) string {
		conn, err := grpc.NewClient("passthrough:///"+proxyIP(n)+":4240", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("greeter"))
		require.NoError(t, err)
		defer conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		var header metadata.MD
		var from peer.Peer
		_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&header), grpc.Peer(&from))
		require.NoError(t, err)
		return fmt.Sprintf("node-%s HTTP/2.0 %s 2", strings.Join(header.Get("node"), ""), strings.Join(header.Get("client"), ""))
	})
	refused := curl(t, nil, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: hello.example.com", "http://"+proxyIP(1)+":4142/other")
	assert.Equal(t, "400", refused, "no rule of any Ingress matches")
}

// TestNamerdManifest runs the control plane of namerd.yaml with its account: dtabs are
// objects of the cluster, and names are those of its services.
func TestNamerdManifest(t *testing.T) {
	c := newCluster(t)
	for _, f := range []string{"rbac.yaml", "dtab-crd.yaml", "namerd.yaml"} {
		c.kube.Apply(readFile(t, manifests+f))
	}
	portlock.Acquire(t, 4100, 4180, 4321, 9991)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.yaml"), strings.ReplaceAll(configOf(t, "namerd.yaml"), "0.0.0.0", "127.0.0.1"))
	p := start(t, dir, []string{"KUBECONFIG=" + c.kubeconfig("weft", "namerd")}, "namerd", "config.yaml")
	p.eventually(t, limit, func() bool {
		r, err := try(get("http://127.0.0.1:9991/admin/ping"))
		return err == nil && r.body == "pong"
	}, "no pong")
	base := "--base-url=http://127.0.0.1:4180"
	require.Equal(t, "Created default\n", weftCLI(t, 0, "/svc => /#/io.l5d.k8s/default/http", "dtab", base, "create", "default", "-"))
	status, object := c.kube.Do(http.MethodGet, "/apis/l5d.io/v1alpha1/namespaces/weft/dtabs/default", nil)
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, string(object), `"dentries":[{"dst":"/#/io.l5d.k8s/default/http","prefix":"/svc"}]`)
	eventually(t, func() bool {
		return strings.Contains(weftCLI(t, 0, "", "dtab", base, "resolve", "default", "/svc/hello"), podIP(1)+":8080")
	}, "the name of a service leads to its pods")
	page := do(t, get("http://127.0.0.1:9991/storage/dtabs.json"))
	assert.Contains(t, page.body, `"dtab": "/svc=>/#/io.l5d.k8s/default/http"`)
	require.Equal(t, "Deleted default\n", weftCLI(t, 0, "", "dtab", base, "delete", "default"))
	require.Equal(t, "quitting\n", do(t, request("POST", "http://127.0.0.1:9991/admin/shutdown")).body)
	require.NoError(t, p.wait(t))
}

// TestManifestsAreConfigurations checks the configurations in the manifests.
func TestManifestsAreConfigurations(t *testing.T) {
	for _, f := range []string{"mesh-per-host.yaml", "sidecar.yaml", "ingress.yaml", "mesh-per-host-namerd.yaml", "ingress-namerd.yaml", "namerd.yaml"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.yaml"), configOf(t, f))
		p := start(t, dir, []string{"KUBECONFIG=" + emptyKubeconfig(t), "NODE_NAME=n", "POD_NAMESPACE=weft"}, "check", "config.yaml")
		require.NoError(t, p.wait(t), "%s: %s%s", f, p.stdout, p.stderr)
	}
}

// emptyKubeconfig leads nowhere.
func emptyKubeconfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, path, `apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: a, user: {token: a}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
`)
	return path
}
