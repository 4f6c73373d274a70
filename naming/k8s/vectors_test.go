package k8s_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

type vector struct{ id, path, want string }

func check(t *testing.T, n *k8s.Namer, rows []vector) {
	t.Helper()
	for _, v := range rows {
		t.Run(v.id+" "+strings.ReplaceAll(v.path, "/", "_"), func(t *testing.T) { becomes(t, n, v.path, v.want) })
	}
}

func newNamer(t *testing.T, f *fakeAPI, label string, o k8s.Options) *k8s.Namer {
	t.Helper()
	n, err := k8s.New(k8s.Config{Access: f.access(t), LabelSelector: label}, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

func TestVectorsOfEndpoints(t *testing.T) {
	f := newFakeAPI(t)
	f.refuse("discovery.k8s.io", http.StatusNotFound)
	f.put(endpointsOf, "sessions", sessions)
	f.put(endpointsOf, "empty", `{"metadata":{"name":"empty","namespace":"srv"},"subsets":null}`)
	f.put(endpointsOf, "auth", `{"metadata":{"name":"auth"},"subsets":[{"addresses":[{"ip":"10.248.0.1"}],"ports":[{"name":"http","port":8082}]}]}`)
	f.put(servicesOf, "sessions", `{"metadata":{"name":"sessions","namespace":"srv"},"spec":{"ports":[{"port":80,"targetPort":54321},{"port":9990}]},"status":{}}`)
	f.put(servicesOf, "auth", `{"metadata":{"name":"auth"},"spec":{"ports":[{"port":80,"targetPort":"http"}]}}`)
	f.put(servicesOf, "ghost", `{"metadata":{"name":"ghost"},"spec":{"ports":[{"port":80,"targetPort":8080},{"port":81,"targetPort":"x"}]}}`)
	n := newNamer(t, f, "", k8s.Options{})
	three := func(port string) string {
		return strings.ReplaceAll("10.248.4.9:P,10.248.7.11:P,10.248.8.9:P", "P", port)
	}
	check(t, n, []vector{
		{"N01", "/srv/http/sessions", "/#/io.l5d.k8s/srv/http/sessions / " + three("8083")},
		{"N01", "/srv/admin/sessions/a/B", "/#/io.l5d.k8s/srv/admin/sessions /a/B " + three("9990")},
		{"N02", "/srv/80/sessions", "/#/io.l5d.k8s/srv/80/sessions / " + three("54321")},
		{"N02", "/srv/9990/sessions", "/#/io.l5d.k8s/srv/9990/sessions / " + three("9990")},
		{"N02", "/srv/80/auth", "/#/io.l5d.k8s/srv/80/auth / 10.248.0.1:8082"},
		{"N03", "/srv/thrift/sessions", "neg"},
		{"N03", "/srv/555/sessions", "neg"},
		{"N03", "/srv/dns/sessions", "neg"},
		{"N03", "/srv/http", "neg"},
		{"N03", "/srv/http/nobody", "neg"},
		{"N04", "/srv/http/empty", "neg"},
		{"N05", "/sRv/HtTp/SeSsIoNs/ReSt", "/#/io.l5d.k8s/srv/http/sessions /ReSt " + three("8083")},
		{"a numeric target needs no endpoints", "/srv/80/ghost", "/#/io.l5d.k8s/srv/80/ghost / "},
		{"a named target does", "/srv/81/ghost", "neg"},
	})
	assert.Equal(t, 1, f.asked(endpointsOf+"?resourceVersion=0"), "one list for all services of a namespace")
	assert.Equal(t, 1, f.asked(servicesOf+"?resourceVersion=0"))
	status, ok := n.State().(k8s.Status)
	require.True(t, ok)
	assert.Equal(t, f.URL, status.Server)
	assert.Len(t, status.Watches, len(n.Watches()))
	s, _ := n.Lookup(t.Context(), path("/srv/http/sessions")).Load()
	e, _ := s.Value.Value.Bound.Addrs(t.Context()).Load()
	assert.Equal(t, map[string]string{"nodeName": "node-4"}, e.Value.Endpoints[0].Meta)
	assert.Nil(t, e.Value.Endpoints[1].Meta)
	assert.Empty(t, e.Value.Meta)
}

func TestVectorsOfChanges(t *testing.T) {
	f := newFakeAPI(t)
	f.refuse("discovery.k8s.io", http.StatusNotFound)
	const one = `{"metadata":{"name":"sessions","namespace":"srv","resourceVersion":"%v"},"subsets":[{"addresses":[{"ip":"10.248.1.11"}],"ports":[{"name":"http","port":80}]}]}`
	f.put(endpointsOf, "sessions", `{"metadata":{"name":"sessions","namespace":"srv","resourceVersion":"%v"},"subsets":[]}`)
	n := newNamer(t, f, "", k8s.Options{})
	becomes(t, n, "/srv/http/sessions", "neg") // N07
	f.put(endpointsOf, "sessions", one)
	becomes(t, n, "/srv/http/sessions", "/#/io.l5d.k8s/srv/http/sessions / 10.248.1.11:80")
	a, _ := n.Lookup(t.Context(), path("/srv/http/sessions")).Load()
	addr := a.Value.Value.Bound.Addrs(t.Context())

	f.say(endpointsOf, strings.NewReplacer("%v", "7", "10.248.1.11", "10.248.66.66").Replace( // N08
		`{"type":"MODIFIED","object":`+one+`}`))
	f.put(endpointsOf, "mark", `{"metadata":{"name":"mark","namespace":"srv","resourceVersion":"%v"},"subsets":[{"ports":[{"name":"http","port":80}]}]}`)
	becomes(t, n, "/srv/http/mark", "/#/io.l5d.k8s/srv/http/mark / ")
	becomes(t, n, "/srv/http/sessions", "/#/io.l5d.k8s/srv/http/sessions / 10.248.1.11:80")
	f.say(endpointsOf, `{"type":"ERROR","object":{"kind":"Status","code":500,"message":"once"}}`)
	f.put(endpointsOf, "sessions", sessions) // N06
	wants := func(want string) {
		t.Helper()
		until(t, addr, want, func(s endpoints) bool { return addrs(s) == want })
	}
	wants("10.248.4.9:8083,10.248.7.11:8083,10.248.8.9:8083")
	f.put(endpointsOf, "sessions", one)
	wants("10.248.1.11:80")
	f.say(endpointsOf, `{"type":"DELETED","object":{"metadata":{"name":"sessions","namespace":"srv"}}}`)
	becomes(t, n, "/srv/http/sessions", "neg")
	f.put(endpointsOf, "sessions", one)
	wants("10.248.1.11:80") // the old handle goes on
}

func TestVectorsOfLabels(t *testing.T) {
	f := newFakeAPI(t)
	f.put(slicesOf, "a", strings.Replace(slice("srv", "sessions", "a", "10.0.0.1"), `"labels":{`, `"labels":{"versionLabel":"d3adb33f",`, 1))
	f.put(slicesOf, "b", strings.Replace(slice("srv", "sessions", "b", "10.0.0.2"), `"labels":{`, `"labels":{"versionLabel":"other",`, 1))
	n := newNamer(t, f, "versionLabel", k8s.Options{})
	check(t, n, []vector{
		{"N10", "/srv/http/sessions/D3adB33f/r", "/#/io.l5d.k8s/srv/http/sessions/d3adb33f /r 10.0.0.1:8080"},
		{"N10", "/srv/http/sessions/nothing", "neg"},
		{"N10", "/srv/http/sessions", "neg"},
	})
	assert.Zero(t, f.asked("/endpoints?"), "a service with slices needs no Endpoints")
}

func TestVectorsOfLoadBalancers(t *testing.T) {
	f := newFakeAPI(t)
	at := "/api/v1/namespaces/pythonsky/services"
	f.put(at, "l5d", `{"metadata":{"name":"l5d","namespace":"pythonsky","resourceVersion":"%v"},
		"spec":{"ports":[{"name":"external","port":80,"targetPort":4140}]},"status":{"loadBalancer":{"ingress":[{"ip":"104.155.170.94"}]}}}`)
	f.put(at, "named", `{"metadata":{"name":"named"},"spec":{"ports":[{"name":"http","port":443}]},"status":{"loadBalancer":{"ingress":[{"hostname":"lb.example"},{"ip":"10.0.0.9"}]}}}`)
	n, err := k8s.NewExternal(k8s.Config{Access: f.access(t)}, k8s.Options{Resolve: func(_ context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
		assert.Equal(t, "lb.example 443", host+" "+port)
		return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.7:443"}, {Addr: "10.0.0.9:443"}}})}
	}})
	require.NoError(t, err)
	defer n.Close()
	check(t, n, []vector{
		{"N11", "/pythonsky/external/l5d/residual", "/#/io.l5d.k8s.external/pythonsky/external/l5d /residual 104.155.170.94:80"},
		{"N12", "/pYtHoNsKy/ExTeRnAl/L5D/rEsIdUaL", "/#/io.l5d.k8s.external/pYtHoNsKy/ExTeRnAl/L5D /rEsIdUaL 104.155.170.94:80"},
		{"N13", "/pythonsky/admin/l5d", "neg"},
		{"N13", "/pythonsky/external/none", "neg"},
		{"hosts", "/pythonsky/http/named", "/#/io.l5d.k8s.external/pythonsky/http/named / 10.0.0.7:443,10.0.0.9:443"},
	})
	f.say(at, `{"type":"DELETED","object":{"metadata":{"name":"l5d","namespace":"pythonsky"}}}`)
	becomes(t, n, "/pythonsky/external/l5d", "neg")
}

func TestVectorsOfConfigMaps(t *testing.T) {
	f := newFakeAPI(t)
	object := func(data string) string {
		return `{"metadata":{"name":"m","namespace":"default","resourceVersion":"%v"},"data":{"dtab":"` + data + `"}}`
	}
	f.put(configMaps, "m", object("/svc =>"))
	d, err := k8s.NewConfigMapDtab(k8s.ConfigMapConfig{Access: f.access(t), Name: "m", Filename: "dtab"}, k8s.Options{})
	require.NoError(t, err)
	defer d.Close()
	comes := func(want string) {
		t.Helper()
		until(t, d, want, func(s naming.State[dtab.Dtab]) bool { return s.Known && s.Value.String()+mark(s.Err) == want })
	}
	comes(" (stale)") // N29, and a bad one at first
	f.put(configMaps, "m", object("/svc => /a"))
	comes("/svc=>/a")
	f.put(configMaps, "m", object("/svc => => "))
	comes("/svc=>/a (stale)")
	f.say(configMaps, `{"type":"ERROR","object":{"code":410}}`)
	f.put(configMaps, "m", object("/svc => /b"))
	comes("/svc=>/b")
	f.forget(configMaps, "m")
	f.say(configMaps, `{"type":"ERROR","object":{"code":410}}`)
	comes("")
	assert.Positive(t, f.asked("fieldSelector=metadata.name%3Dm"))
}

// TestWhatAServerMayDo is about Appendix A of the specification.
func TestWhatAServerMayDo(t *testing.T) {
	log := &logs{}
	f := newFakeAPI(t)
	f.put(slicesOf, "web-1", versioned(slice("srv", "web", "1", "10.0.0.1")))
	f.put(slicesOf, "bad", `{"metadata":{"name":"bad","namespace":"srv","resourceVersion":"%v","labels":{"kubernetes.io/service-name":"bad"}},"endpoints":"none"}`)
	f.put(slicesOf, "half", versioned(strings.Replace(slice("srv", "half", "1", "10.0.0.1", "10.0.0.2"), `"10.0.0.1"`, `"300.0.0.1"`, 1)))
	n := newNamer(t, f, "", k8s.Options{Logger: log.logger()})
	at := func(ips string) string { return "/#/io.l5d.k8s/srv/http/web / " + ips }
	w := watch(t, n, "/srv/http/web")
	w.begin(at("10.0.0.1:8080"))
	becomes(t, n, "/srv/http/half", "/#/io.l5d.k8s/srv/http/half / 10.0.0.2:8080")
	assert.Contains(t, log.String(), "object=srv/bad")
	assert.Contains(t, log.String(), `\"300.0.0.1\" is not the address of an endpoint`)
	assert.Contains(t, statusOf(n, "k8s endpointslices in srv").Answer, "2 objects, 2 malformed")

	// A watch that ends goes on where it was, without a list.
	lists := f.asked(slicesOf + "?resourceVersion=0")
	f.put(slicesOf, "web-1", versioned(slice("srv", "web", "1", "10.0.0.1", "10.0.0.3")))
	becomes(t, n, "/srv/http/web", at("10.0.0.1:8080,10.0.0.3:8080"))
	f.say(slicesOf, "")
	eventually(t, func() bool { return f.asked("resourceVersion=104") > 0 })
	// Junk ends a watch, and nothing else.
	f.say(slicesOf, `{"type":"MODIFIED","object":{]]`)
	eventually(t, func() bool { return f.asked("resourceVersion=104") > 1 })
	// An object that cannot be read is left as it was.
	f.put(slicesOf, "web-1", strings.Replace(versioned(slice("srv", "web", "1", "10.0.0.1")), `"endpoints":[`, `"endpoints":{}, "x":[`, 1))
	f.put(slicesOf, "web-2", versioned(slice("srv", "web", "2", "10.0.0.4")))
	becomes(t, n, "/srv/http/web", at("10.0.0.1:8080,10.0.0.3:8080,10.0.0.4:8080"))
	assert.Equal(t, lists, f.asked(slicesOf+"?resourceVersion=0"))

	// What the server has forgotten is listed anew, deletions included. That list must
	// not take an answer that is none for an empty one.
	f.put(slicesOf, "web-1", versioned(slice("srv", "web", "1", "10.0.0.1")))
	becomes(t, n, "/srv/http/web", at("10.0.0.1:8080,10.0.0.4:8080"))
	f.forget(slicesOf, "web-2")
	f.refuse("endpointslices", http.StatusInternalServerError)
	f.say(slicesOf, `{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}`)
	becomes(t, n, "/srv/http/web", at("10.0.0.1:8080,10.0.0.4:8080")+" (stale)")
	f.refuse("endpointslices", http.StatusGone)
	time.Sleep(100 * time.Millisecond)
	f.refuse("endpointslices", 0)
	becomes(t, n, "/srv/http/web", at("10.0.0.1:8080"))
	w.alwaysHad("10.0.0.1:8080")
	assert.NoError(t, statusOf(n, "k8s endpointslices in srv").Err)
	assert.Contains(t, log.String(), "is watched again")
}

func versioned(object string) string {
	return strings.Replace(object, `"metadata":{`, `"metadata":{"resourceVersion":"%v",`, 1)
}

func statusOf(n *k8s.Namer, watching string) naming.WatchStatus {
	for _, s := range n.Watches() {
		if s.Watching == watching {
			return s
		}
	}
	return naming.WatchStatus{}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, limit, 2*time.Millisecond)
}

// TestPodsOfTwoFamilies has pods in slices of both families.
func TestPodsOfTwoFamilies(t *testing.T) {
	f := newFakeAPI(t)
	pod := func(ip, uid string) string {
		return `{"addresses":["` + ip + `"],"targetRef":{"uid":"` + uid + `"},"hints":{"forZones":[{"name":"a"},{"name":"b"}]}}`
	}
	object := func(family string, pods ...string) string {
		return `{"metadata":{"name":"web-` + family + `","namespace":"srv","resourceVersion":"%v","labels":{"kubernetes.io/service-name":"web"}},"addressType":"` + family +
			`","ports":[{"name":"http","port":80}],"endpoints":[` + strings.Join(pods, ",") + `]}`
	}
	unready := strings.Replace(pod("fd00::3", "3"), `"targetRef"`, `"conditions":{"ready":false,"serving":true,"terminating":true},"targetRef"`, 1)
	f.put(slicesOf, "6", object("IPv6", pod("fd00::1", "1"), pod("fd00::2", "2"), unready))
	f.put(slicesOf, "4", object("IPv4", pod("10.0.0.1", "1")))
	n := newNamer(t, f, "", k8s.Options{})
	becomes(t, n, "/srv/http/web", "/#/io.l5d.k8s/srv/http/web / 10.0.0.1:80,[fd00::2]:80")
	s, _ := n.Lookup(t.Context(), path("/srv/http/web")).Load()
	e, _ := s.Value.Value.Bound.Addrs(t.Context()).Load()
	assert.Equal(t, map[string]string{"forZones": "a,b"}, e.Value.Endpoints[0].Meta)
}

// TestOldIngresses is about API servers that have only extensions/v1beta1.
func TestOldIngresses(t *testing.T) {
	f := newFakeAPI(t)
	f.refuse("networking.k8s.io", http.StatusNotFound)
	const all = "/apis/extensions/v1beta1/ingresses"
	f.put(all, "old", `{"metadata":{"name":"old","namespace":"front","resourceVersion":"%v","annotations":{"kubernetes.io/ingress.class":"linkerd","kubectl.kubernetes.io/last-applied-configuration":"{}"}},
		"spec":{"backend":{"serviceName":"fallback","servicePort":"http"},"rules":[{"host":"a","http":{"paths":[{"path":"/x.*","backend":{"serviceName":"x","servicePort":80}}]}}]}}`)
	i, err := k8s.NewIngresses(k8s.IngressConfig{Access: f.access(t)}, k8s.Options{})
	require.NoError(t, err)
	defer i.Close()
	s := until(t, weft.Source[naming.State[k8s.Table]](i), "table", func(s naming.State[k8s.Table]) bool { return s.Known })
	require.NoError(t, s.Err, "classes are not needed")
	assert.Equal(t, []k8s.Ingress{{
		Namespace: "front", Name: "old", Version: "101", ClassAnnotation: "linkerd", HasClassAnnotation: true,
		Annotations:    map[string]string{"kubernetes.io/ingress.class": "linkerd"},
		DefaultBackend: &k8s.Backend{Namespace: "front", Service: "fallback", PortName: "http"},
		Rules:          []k8s.Rule{{Host: "a", Path: "/x.*", PathType: k8s.ImplementationSpecific, Backend: k8s.Backend{Namespace: "front", Service: "x", PortNumber: 80}}},
	}}, s.Value.Ingresses)

	// 31: deletions are seen after an outage, an ADDED twice is one, classes change.
	f.put(all, "new", `{"metadata":{"name":"new","namespace":"front","resourceVersion":"%v"},"spec":{}}`)
	f.say(all, `{"type":"ADDED","object":{"metadata":{"name":"new","namespace":"front","annotations":{"kubernetes.io/ingress.class":"else"}},"spec":{}}}`)
	until(t, weft.Source[naming.State[k8s.Table]](i), "class", func(s naming.State[k8s.Table]) bool {
		return len(s.Value.Ingresses) == 2 && s.Value.Ingresses[0].Class() == "else"
	})
	f.forget(all, "new")
	f.say(all, `{"type":"ERROR","object":{"code":410}}`)
	until(t, weft.Source[naming.State[k8s.Table]](i), "deleted", func(s naming.State[k8s.Table]) bool { return len(s.Value.Ingresses) == 1 })
}
