package k8s_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// promptly is how soon what the server can say must be in force.
const promptly = 2 * time.Second

// cluster is the real API server and what its subtests need.
type cluster struct {
	*servers.Kube
}

// sub is the cluster in a subtest.
type sub struct {
	cluster
	t *testing.T
}

func (c cluster) access(l *link) k8s.Access {
	url := c.URL
	if l != nil {
		url = "https://" + l.addr
	}
	return k8s.Access{URL: url, CAFile: c.CAFile, Token: servers.KubeAdmin}
}

func (c cluster) namespace(name string) {
	c.Apply(fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, name))
}

func (c cluster) deleteSlice(namespace, service, suffix string) {
	c.Delete("discovery.k8s.io/v1", "EndpointSlice", namespace, service+"-"+suffix)
}

func (c cluster) namer(t *testing.T, a k8s.Access, o k8s.Options) *k8s.Namer {
	t.Helper()
	n, err := k8s.New(k8s.Config{Access: a}, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

// soon is becomes within the time that the product promises.
func soon(t *testing.T, n *k8s.Namer, path, want string) {
	t.Helper()
	assert.Less(t, becomes(t, n, path, want), promptly, want)
}

func TestAgainstTheAPIServer(t *testing.T) {
	c := cluster{servers.StartKube(t, servers.KubeOptions{RBAC: true, Users: map[string]string{
		"token-a": "user-a", "token-b": "user-b", "token-c": "user-c",
	}})}
	for _, row := range []struct {
		name string
		test func(sub)
	}{
		{"a service comes, scales, is replaced, goes and comes again", sub.testLifecycle},
		{"Endpoints without slices", sub.testEndpointsOnly},
		{"ports", sub.testPorts},
		{"load balancers", sub.testExternal},
		{"plain HTTP through a kubectl proxy", sub.testPlainProxy},
		{"a reset connection", sub.testReset},
		{"a black hole", sub.testBlackHole},
		{"a server that is stopped as it stands", sub.testPause},
		{"wrong credentials that become right", sub.testCredentials},
		{"slices are forbidden", sub.testForbiddenSlices},
		{"a dtab in a ConfigMap", sub.testConfigMap},
		{"ingresses and their certificates", sub.testIngresses},
		{"the server is killed and comes back", sub.testKill},
		{"the server has forgotten", sub.testCompaction},
	} {
		t.Run(row.name, func(t *testing.T) { row.test(sub{c, t}) })
	}
}

func (c sub) testLifecycle() {
	t := c.t
	n := c.namer(t, c.access(nil), k8s.Options{})
	becomes(t, n, "/life/http/web", "neg")
	c.namespace("life")
	other := watch(t, n, "/life/http/other")
	c.Apply(slice("life", "web", "1", ips(0, 3)...), slice("life", "other", "1", ip(90)))
	soon(t, n, "/life/http/web", at("life", "web", 8080, ips(0, 3)...))
	becomes(t, n, "/life/http/other", at("life", "other", 8080, ip(90)))
	w := watch(t, n, "/life/http/web")
	w.begin(at("life", "web", 8080, ips(0, 3)...))

	c.Apply(slice("life", "web", "2", ips(3, 100)...))
	soon(t, n, "/life/http/web", at("life", "web", 8080, ips(0, 100)...))
	c.Apply(slice("life", "web", "1", ips(0, 1)...))
	soon(t, n, "/life/http/web", at("life", "web", 8080, append(ips(0, 1), ips(3, 100)...)...))
	w.alwaysHad(ip(0) + ":8080")

	c.Apply(slice("life", "web", "2", ips(200, 210)...), slice("life", "web", "1", ips(210, 220)...))
	soon(t, n, "/life/http/web", at("life", "web", 8080, ips(200, 220)...))
	for _, s := range w.all() {
		assert.Contains(t, s, ":8080", "never empty")
	}
	c.Apply(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv6","metadata":{"namespace":"life","name":"web-6","labels":{"kubernetes.io/service-name":"web"}},
		"ports":[{"name":"http","port":8081}],"endpoints":[{"addresses":["fd00::1"]},{"addresses":["fd00::2"],"conditions":{"ready":false,"serving":true,"terminating":true}}]}`)
	soon(t, n, "/life/http/web", at("life", "web", 8080, ips(200, 220)...)+",[fd00::1]:8081")

	c.deleteSlice("life", "web", "1")
	c.deleteSlice("life", "web", "6")
	c.deleteSlice("life", "web", "2")
	soon(t, n, "/life/http/web", "neg")
	c.Apply(slice("life", "web", "3", ip(7)))
	soon(t, n, "/life/http/web", at("life", "web", 8080, ip(7)))
	assert.Equal(t, uniq(other.all()), other.all(), "woken up for nothing")

	a, _ := n.Lookup(t.Context(), path("/life/http/web")).Load()
	s, _ := a.Value.Value.Bound.Addrs(t.Context()).Load()
	assert.Equal(t, map[string]string{"nodeName": "n0", "zone": "z"}, s.Value.Endpoints[0].Meta)
	assert.NotEmpty(t, s.Version)
	var watching []string
	for _, s := range n.Watches() {
		watching = append(watching, s.Watching)
		if strings.HasPrefix(s.Watching, "k8s endpointslices in life") {
			assert.NotEmpty(t, s.Version)
			assert.Equal(t, "2 objects", s.Answer)
			assert.NoError(t, s.Err)
		}
	}
	assert.Contains(t, watching, "k8s endpointslices in life")
	assert.Contains(t, watching, "service life/web port http")
}

func uniq(all []string) []string {
	var some []string
	for i, s := range all {
		if i == 0 || all[i-1] != s {
			some = append(some, s)
		}
	}
	return some
}

func (c sub) testEndpointsOnly() {
	t := c.t
	c.namespace("old")
	n := c.namer(t, c.access(nil), k8s.Options{})
	c.Apply(`{"apiVersion":"v1","kind":"Endpoints","metadata":{"namespace":"old","name":"web"},"subsets":[
		{"addresses":[{"ip":"10.77.0.1","nodeName":"n1"}],"notReadyAddresses":[{"ip":"10.77.0.9"}],"ports":[{"name":"http","port":8080},{"name":"admin","port":9990}]},
		{"addresses":[{"ip":"10.77.0.2"}],"ports":[{"name":"http","port":8081}]}]}`)
	becomes(t, n, "/old/http/web", at("old", "web", 8081, "10.77.0.1", "10.77.0.2"))
	w := watch(t, n, "/old/http/web")
	w.begin(at("old", "web", 8081, "10.77.0.1", "10.77.0.2"))
	c.Apply(sliceAt("old", "web", "1", 8081, "10.77.0.1", "10.77.0.3"))
	soon(t, n, "/old/http/web", at("old", "web", 8081, "10.77.0.1", "10.77.0.3"))
	c.deleteSlice("old", "web", "1")
	soon(t, n, "/old/http/web", at("old", "web", 8081, "10.77.0.1", "10.77.0.2"))
	w.alwaysHad("10.77.0.1:8081")
	c.Delete("v1", "Endpoints", "old", "web")
	soon(t, n, "/old/http/web", "neg")
}

func (c sub) testPorts() {
	t := c.t
	c.namespace("ports")
	n := c.namer(t, c.access(nil), k8s.Options{})
	c.Apply(`{"apiVersion":"v1","kind":"Service","metadata":{"namespace":"ports","name":"web"},"spec":{"ports":[
		{"name":"http","port":80,"targetPort":8080},{"name":"named","port":81,"targetPort":"http"},{"name":"same","port":9990},{"name":"dns","port":53,"protocol":"UDP"}]}}`,
		sliceAt("ports", "web", "1", 8080, ips(0, 2)...))
	becomes(t, n, "/ports/80/web", "/#/io.l5d.k8s/ports/80/web / 10.77.0.1:8080,10.77.0.2:8080")
	becomes(t, n, "/ports/81/web/r", "/#/io.l5d.k8s/ports/81/web /r 10.77.0.1:8080,10.77.0.2:8080")
	becomes(t, n, "/ports/9990/web", "/#/io.l5d.k8s/ports/9990/web / 10.77.0.1:9990,10.77.0.2:9990")
	for _, p := range []string{"/ports/82/web", "/ports/53/web", "/ports/grpc/web", "/ports/80/none", "/ports/99999/web", "/ports/http", "/p%2Fx/http/web"} {
		becomes(t, n, p, "neg")
	}
	c.Apply(`{"apiVersion":"v1","kind":"Service","metadata":{"namespace":"ports","name":"web"},"spec":{"ports":[{"name":"http","port":80,"targetPort":8888}]}}`)
	soon(t, n, "/ports/80/web", "/#/io.l5d.k8s/ports/80/web / 10.77.0.1:8888,10.77.0.2:8888")
	soon(t, n, "/ports/9990/web", "neg")
}

func (c sub) testExternal() {
	t := c.t
	c.namespace("ext")
	n := must[*k8s.Namer](t)(k8s.NewExternal(k8s.Config{Access: c.access(nil)}, k8s.Options{}))
	defer n.Close()
	c.Apply(`{"apiVersion":"v1","kind":"Service","metadata":{"namespace":"ext","name":"l5d"},"spec":{"type":"LoadBalancer","ports":[{"name":"external","port":80,"targetPort":4140}]}}`)
	becomes(t, n, "/ext/external/l5d", "neg")
	status, answer := c.patchStatus("/api/v1/namespaces/ext/services/l5d", `{"status":{"loadBalancer":{"ingress":[{"ip":"104.155.170.94"}]}}}`)
	require.Equal(t, http.StatusOK, status, answer)
	soon(t, n, "/eXt/ExTernal/L5D/Residual", "/#/io.l5d.k8s.external/eXt/ExTernal/L5D /Residual 104.155.170.94:80")
	soon(t, n, "/ext/80/l5d", "/#/io.l5d.k8s.external/ext/80/l5d / 104.155.170.94:80")
	c.Delete("v1", "Service", "ext", "l5d")
	soon(t, n, "/ext/external/l5d", "neg")
}

func (c cluster) patchStatus(path, body string) (int, string) {
	req, err := http.NewRequest(http.MethodPatch, c.URL+path+"/status", strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/merge-patch+json")
	req.Header.Set("Authorization", "Bearer "+servers.KubeAdmin)
	resp, err := c.client().Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Status
}

func (c sub) testPlainProxy() {
	t := c.t
	c.namespace("plain")
	target := must[*url.URL](t)(url.Parse(c.URL))
	client := c.client()
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		FlushInterval: -1, Transport: client.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer "+servers.KubeAdmin)
		},
	})
	defer proxy.Close()
	defer proxy.CloseClientConnections()
	host, port, _ := strings.Cut(strings.TrimPrefix(proxy.URL, "http://"), ":")
	number := must[int](t)(strconv.Atoi(port))
	c.Apply(slice("plain", "web", "1", ips(0, 2)...))
	n := must[*k8s.Namer](t)(k8s.NewNamespaced(k8s.Config{Access: k8s.Access{Host: host, Port: number}}, k8s.Options{
		Getenv: func(key string) string { return map[string]string{"POD_NAMESPACE": "plain"}[key] },
	}))
	defer n.Close()
	becomes(t, n, "/HTTP/Web/R", "/#/io.l5d.k8s.ns/http/web /R 10.77.0.1:8080,10.77.0.2:8080")
	c.Apply(slice("plain", "web", "1", ips(5, 6)...))
	soon(t, n, "/http/web", "/#/io.l5d.k8s.ns/http/web / 10.77.0.6:8080")
	proxy.CloseClientConnections()
	c.Apply(slice("plain", "web", "1", ips(5, 7)...))
	soon(t, n, "/http/web", "/#/io.l5d.k8s.ns/http/web / 10.77.0.6:8080,10.77.0.7:8080")
}

// cut prepares a service that is watched through a link.
func (c sub) cut(namespace string) (*link, *k8s.Namer, *watcher) {
	t := c.t
	t.Helper()
	c.namespace(namespace)
	c.Apply(slice(namespace, "web", "1", ips(0, 3)...))
	l := newLink(t, strings.TrimPrefix(c.URL, "https://"))
	n := c.namer(t, c.access(l), k8s.Options{})
	w := watch(t, n, "/"+namespace+"/http/web")
	w.begin(at(namespace, "web", 8080, ips(0, 3)...))
	return l, n, w
}

func (c sub) testReset() {
	t := c.t
	l, n, w := c.cut("reset")
	for i := range 5 {
		l.reset()
		c.Apply(slice("reset", "web", "1", ips(0, 4+i)...))
		soon(t, n, "/reset/http/web", at("reset", "web", 8080, ips(0, 4+i)...))
	}
	w.alwaysHad(ip(0)+":8080", ip(2)+":8080")
}

func (c sub) testBlackHole() {
	t := c.t
	outage := 6 * time.Second
	if os.Getenv("WEFT_SOAK") != "" {
		outage = time.Minute
	}
	l, n, w := c.cut("hole")
	l.blackHole()
	c.Apply(slice("hole", "web", "1", append(ips(0, 2), ip(50))...))
	time.Sleep(outage)
	becomes(t, n, "/hole/http/web", at("hole", "web", 8080, ips(0, 3)...)+" (stale)")
	l.heal()
	soon(t, n, "/hole/http/web", at("hole", "web", 8080, append(ips(0, 2), ip(50))...))
	w.alwaysHad(ip(0)+":8080", ip(1)+":8080")
}

func (c sub) testPause() {
	t := c.t
	_, n, w := c.cut("pause")
	c.Pause()
	becomes(t, n, "/pause/http/web", at("pause", "web", 8080, ips(0, 3)...)+" (stale)")
	c.Resume()
	c.AwaitReady()
	c.Apply(slice("pause", "web", "1", append(ips(0, 2), ip(50))...))
	soon(t, n, "/pause/http/web", at("pause", "web", 8080, append(ips(0, 2), ip(50))...))
	w.alwaysHad(ip(0)+":8080", ip(1)+":8080")
}

func (c cluster) grant(user, role, rules string) {
	c.Apply(fmt.Sprintf(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":%q},"rules":%s}`, role, rules),
		fmt.Sprintf(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":%q},
"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":%q},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":%q}]}`, role, role, user))
}

const readSlices = `{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}`

func (c sub) testCredentials() {
	t := c.t
	c.namespace("creds")
	c.grant("user-a", "creds", "["+readSlices+"]")
	c.Apply(slice("creds", "web", "1", ips(0, 3)...))
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("wrong\n"), 0o600))
	log := &logs{}
	l := newLink(t, strings.TrimPrefix(c.URL, "https://"))
	n := c.namer(t, k8s.Access{URL: "https://" + l.addr, CAFile: c.CAFile, TokenFile: token}, k8s.Options{Logger: log.logger()})
	w := watch(t, n, "/creds/http/web")
	for deadline := time.Now().Add(limit); !strings.Contains(log.String(), "401"); time.Sleep(5 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), log.String())
	}
	time.Sleep(3 * time.Second)
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "said once: %s", log.String())
	require.NoError(t, os.WriteFile(token, []byte("token-a"), 0o600))
	soon(t, n, "/creds/http/web", at("creds", "web", 8080, ips(0, 3)...))
	w.begin(at("creds", "web", 8080, ips(0, 3)...))

	require.NoError(t, os.WriteFile(token, []byte("wrong again"), 0o600))
	l.reset()
	becomes(t, n, "/creds/http/web", at("creds", "web", 8080, ips(0, 3)...)+" (stale)")
	c.Apply(slice("creds", "web", "1", ips(0, 4)...))
	require.NoError(t, os.WriteFile(token, []byte("token-a"), 0o600))
	soon(t, n, "/creds/http/web", at("creds", "web", 8080, ips(0, 4)...))
	w.alwaysHad(ip(0)+":8080", ip(2)+":8080")
}

func (c sub) testForbiddenSlices() {
	t := c.t
	c.namespace("rbac")
	c.Apply(`{"apiVersion":"v1","kind":"Endpoints","metadata":{"namespace":"rbac","name":"web"},"subsets":[{"addresses":[{"ip":"10.77.0.1"}],"ports":[{"name":"http","port":8080}]}]}`,
		slice("rbac", "web", "1", "10.77.0.1", "10.77.0.2"), slice("rbac", "only", "1", "10.77.0.3"))
	access := k8s.Access{URL: c.URL, CAFile: c.CAFile, Token: "token-b"}

	none := c.namer(t, access, k8s.Options{})
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		s, _ := text(t.Context(), none, "/rbac/http/web")
		if strings.Contains(s, "endpointslices") && strings.Contains(s, "endpoints is forbidden") {
			break
		}
		require.NotContains(t, s, "neg")
		require.True(t, time.Now().Before(deadline), s)
	}
	c.grant("user-b", "endpoints", `[{"apiGroups":[""],"resources":["endpoints"],"verbs":["list","watch"]}]`)
	n := c.namer(t, access, k8s.Options{MaxBackoff: 100 * time.Millisecond})
	w := watch(t, n, "/rbac/http/web")
	becomes(t, n, "/rbac/http/web", at("rbac", "web", 8080, ip(0)))
	becomes(t, none, "/rbac/http/web", at("rbac", "web", 8080, ip(0)))
	c.grant("user-b", "slices", "["+readSlices+"]")
	soon(t, n, "/rbac/http/web", at("rbac", "web", 8080, ips(0, 2)...))
	w.stop()
	for _, s := range w.all() {
		assert.NotContains(t, s, "neg")
	}

	// Slices alone are enough.
	c.grant("user-c", "slices-only", "["+readSlices+"]")
	n = c.namer(t, k8s.Access{URL: c.URL, CAFile: c.CAFile, Token: "token-c"}, k8s.Options{})
	becomes(t, n, "/rbac/http/only", at("rbac", "only", 8080, ip(2)))
	becomes(t, n, "/rbac/http/none", "neg")
}

func (c sub) testKill() {
	t := c.t
	_, n, w := c.cut("kill")
	c.Kill()
	becomes(t, n, "/kill/http/web", at("kill", "web", 8080, ips(0, 3)...)+" (stale)")
	c.Start()
	soon(t, n, "/kill/http/web", at("kill", "web", 8080, ips(0, 3)...))
	c.Apply(slice("kill", "web", "1", ips(0, 4)...))
	soon(t, n, "/kill/http/web", at("kill", "web", 8080, ips(0, 4)...))
	w.alwaysHad(ip(0)+":8080", ip(2)+":8080")
}

func (c sub) testCompaction() {
	t := c.t
	l, n, w := c.cut("gone")
	c.Apply(slice("gone", "later", "1", ip(9)))
	becomes(t, n, "/gone/http/later", at("gone", "later", 8080, ip(9)))
	later := watch(t, n, "/gone/http/later")
	defer later.stop()
	l.blackHole()
	c.Apply(slice("gone", "web", "1", append(ips(0, 2), ip(50))...))
	c.deleteSlice("gone", "later", "1")
	c.Apply(slice("gone", "web", "2", ip(60)))
	c.Compact()
	c.Kill()
	c.Start()
	becomes(t, n, "/gone/http/web", at("gone", "web", 8080, ips(0, 3)...)+" (stale)")
	l.heal()
	soon(t, n, "/gone/http/web", at("gone", "web", 8080, append(ips(0, 2), ip(50), ip(60))...))
	soon(t, n, "/gone/http/later", "neg")
	w.alwaysHad(ip(0)+":8080", ip(1)+":8080")
}

func (c sub) testConfigMap() {
	t := c.t
	c.namespace("dtabs")
	d := must[*k8s.ConfigMapDtab](t)(k8s.NewConfigMapDtab(k8s.ConfigMapConfig{
		Access: c.access(nil), Namespace: "dtabs", Name: "main", Filename: "router.dtab",
	}, k8s.Options{}))
	defer d.Close()
	comes := func(want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		for {
			s, stale := d.Load()
			got := s.Value.String() + mark(s.Err)
			if s.Known && got == want {
				return
			}
			if naming.Any(ctx, []<-chan struct{}{stale}) != nil {
				require.Equal(t, want, got)
			}
		}
	}
	put := func(key, value string) {
		c.Apply(fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"dtabs","name":"main"},"data":{%q:%q}}`, key, value))
	}
	comes("")
	put("router.dtab", "/svc => /#/io.l5d.k8s/prod/http ; # all\n")
	comes("/svc=>/#/io.l5d.k8s/prod/http")
	put("router.dtab", "/svc => => /x")
	comes("/svc=>/#/io.l5d.k8s/prod/http (stale)")
	put("router.dtab", "/svc => /b")
	comes("/svc=>/b")
	put("other", "/svc => /c")
	comes("")
	put("router.dtab", "/svc => /d")
	comes("/svc=>/d")
	c.Delete("v1", "ConfigMap", "dtabs", "main")
	comes("")
	assert.Equal(t, "k8s configmaps main in dtabs", d.Watches()[0].Watching)
}
