package transformer_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/transformer"
)

type tf = transformer.Transformer

func (w *world) localhost(addrs ...string) tf {
	var list []netip.Addr
	for _, a := range addrs {
		list = append(list, netip.MustParseAddr(a))
	}
	return w.made(transformer.NewLocalhost(transformer.LocalhostConfig{Addrs: list}))
}

func (w *world) port(n int) tf { return w.made(transformer.NewPort(transformer.PortConfig{Port: n})) }

func (w *world) localnode(ip string) tf {
	return w.made(transformer.NewLocalnode(transformer.LocalnodeConfig{PodIP: ip}))
}

func (w *world) host(h string) tf {
	return w.made(transformer.NewSpecificHost(transformer.SpecificHostConfig{Host: h}, transformer.Options{}))
}

// daemonset looks its gateways up as /gw/port/l5d, in the namer of the world.
func (w *world) daemonset(hostNetwork bool) tf {
	return w.made(transformer.NewDaemonset(
		transformer.DaemonsetConfig{Namespace: "GW", Port: "port", Service: "l5d", HostNetwork: hostNetwork}, w, transformer.Options{}))
}

func TestVectors(t *testing.T) {
	const svc = "/svc=>/#/n"
	for _, row := range []struct {
		id, rules, name string
		ts              func(w *world) []tf
		want            string
	}{
		{
			"X01", svc, "/svc/web/r", func(w *world) []tf { return []tf{w.port(4141)} },
			"L(/%/io.l5d.port/4141/#/n/web + /r) {10.0.0.1:4141 n1, 10.0.1.1:4141 n2} authority=x",
		},
		{
			"X03", svc, "/svc/web", func(w *world) []tf { return []tf{w.localhost("10.0.0.1")} },
			"L(/%/io.l5d.localhost/#/n/web) {10.0.0.1:80 n1} authority=x",
		},
		{
			"X04", "/svc=>/#/n/web | /#/n/gw", "/svc", func(w *world) []tf { return []tf{w.host("9.9.9.9")} },
			"L(/%/io.l5d.specificHost/#/n/web) neg",
		},
		{
			"specificHost", svc, "/svc/web", func(w *world) []tf { return []tf{w.host("10.0.1.1")} },
			"L(/%/io.l5d.specificHost/#/n/web) {10.0.1.1:81 n2} authority=x",
		},
		{
			"X06", svc, "/svc/x06", func(w *world) []tf { return []tf{w.localnode("1.1.1.1")} },
			"L(/%/io.l5d.k8s.localnode/1.1.1.1/#/n/x06) {1.1.1.2:8888, 1.1.1.3:8888}",
		},
		{"localnode, hostNetwork", svc, "/svc/web", func(w *world) []tf {
			return []tf{w.made(transformer.NewLocalnode(transformer.LocalnodeConfig{HostNetwork: true, NodeName: "n2"}))}
		}, "L(/%/io.l5d.k8s.localnode/n2/#/n/web) {10.0.1.1:81 n2} authority=x"},
		{
			"X07", svc, "/svc/here", func(w *world) []tf { return []tf{w.daemonset(false)} },
			"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/here) {10.0.2.9:4141}",
		},
		{
			"X07, nowhere", svc, "/svc/there", func(w *world) []tf { return []tf{w.daemonset(false)} },
			"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/there) neg",
		},
		{
			"X08", svc, "/svc/far", func(w *world) []tf { return []tf{w.daemonset(true)} },
			"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/far) {10.0.0.9:4141 n1}",
		},
		{
			"quirk 28: no node name is no machine", svc, "/svc/here", func(w *world) []tf { return []tf{w.daemonset(true)} },
			"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/here) neg",
		},
		{
			"X09", svc, "/svc/web", func(w *world) []tf { return []tf{w.daemonset(false)} },
			"L(/%/io.l5d.k8s.daemonset/GW/port/l5d/#/n/web) {10.0.0.9:4141 n1} authority=x",
		},
		{"X11", svc, "/svc/neg", func(w *world) []tf {
			return []tf{w.made(transformer.NewConst(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))}
		}, "L(/%/io.l5d.const/#/n/gw) {10.0.0.9:4141 n1, 10.0.2.9:4141}"},
		{"const does not wait", svc, "/svc/pend", func(w *world) []tf {
			return []tf{w.made(transformer.NewConst(transformer.PathConfig{Path: path("/#/n/gw/r")}, w.binder()))}
		}, "L(/%/io.l5d.const/#/n/gw/r + /r) {10.0.0.9:4141 n1, 10.0.2.9:4141}"},
		{"replace", "/svc=>0.3*/#/n/web & 0.7*/#/n/empty", "/svc", func(w *world) []tf {
			return []tf{w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))}
		}, "Union(0.3*L(/%/io.l5d.replace/#/n/gw) {10.0.0.9:4141 n1, 10.0.2.9:4141}, 0.7*Empty)"},
		{"replace keeps Neg", svc, "/svc/neg", func(w *world) []tf {
			return []tf{w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/gw")}, w.binder()))}
		}, "Neg"},
		{"replace by what is pending", svc, "/svc/web", func(w *world) []tf {
			return []tf{w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/pend")}, w.binder()))}
		}, "Pending"},
		{"replace by what failed", svc, "/svc/web", func(w *world) []tf {
			return []tf{w.made(transformer.NewReplace(transformer.PathConfig{Path: path("/#/n/fail")}, w.binder()))}
		}, "Failed(boom)"},
		{
			"X13", svc, "/svc/web", func(w *world) []tf { return []tf{w.port(4141), w.localhost("10.0.0.1")} },
			"L(/%/io.l5d.localhost/%/io.l5d.port/4141/#/n/web) {10.0.0.1:4141 n1} authority=x",
		},
		{"prefix", svc, "/svc/web", func(w *world) []tf {
			return []tf{w.made(transformer.NewPort(transformer.PortConfig{Port: 1, Prefix: path("/%/p")}))}
		}, "L(/%/p/#/n/web) {10.0.0.1:1 n1, 10.0.1.1:1 n2} authority=x"},
		{
			"quirk 29: IPv6", svc, "/svc/six", func(w *world) []tf { return []tf{w.localhost("fd00::1", "::ffff:10.0.0.7")} },
			"L(/%/io.l5d.localhost/#/n/six) {[fd00::1]:80, 10.0.0.7:80}",
		},
		{
			"IPv6 machines", svc, "/svc/six", func(w *world) []tf { return []tf{w.localnode("fd00::abcd")} },
			"L(/%/io.l5d.k8s.localnode/fd00::abcd/#/n/six) {[fd00::1]:80}",
		},
		{"Neg stays", svc, "/svc/neg", func(w *world) []tf { return []tf{w.port(1)} }, "Neg"},
		{"Pending stays", svc, "/svc/pend", func(w *world) []tf { return []tf{w.port(1)} }, "Pending"},
		{"Failed stays", svc, "/svc/fail", func(w *world) []tf { return []tf{w.port(1)} }, "Failed(boom)"},
		{
			"one port makes two endpoints one", svc, "/svc/twice", func(w *world) []tf { return []tf{w.port(7)} },
			"L(/%/io.l5d.port/7/#/n/twice) {1.1.1.1:7}",
		},
	} {
		t.Run(row.id, func(t *testing.T) {
			w := newWorld(t)
			w.put("x06", of("1.1.1.2:8888", "1.1.1.3:8888", "1.1.2.2:8888", "1.1.2.3:8888"))
			w.put("here", of("10.0.2.55:8888"))
			w.put("there", of("10.0.4.55:8888"))
			w.put("far", set{Endpoints: []weft.Endpoint{at("7.7.7.7:8888", "n1")}})
			w.put("six", of("[fd00::1]:80", "[fd00:0:0:1::1]:80", "10.0.0.7:80"))
			w.put("twice", of("1.1.1.1:80", "1.1.1.1:81"))
			in := w.interpreter(row.rules, row.ts(w)...)
			src := w.bind(in, row.name)
			assert.Eventually(t, func() bool { return w.show(src) == row.want }, eventually, tick, "%s", row.want)
			assert.Equal(t, row.want, w.show(src))
		})
	}
}

// TestAnswersOfTheProxyItselfStay is about endpoints that have no address.
func TestAnswersOfTheProxyItselfStay(t *testing.T) {
	w := newWorld(t)
	w.put("status", set{Endpoints: []weft.Endpoint{{Addr: "http.status/401", Local: "http.status/401"}}})
	for _, tr := range []tf{w.port(4141), w.localhost("10.0.0.1"), w.localnode("10.0.0.1"), w.daemonset(false), w.daemonset(true)} {
		in := w.interpreter("/svc=>/#/n", tr)
		src := w.bind(in, "/svc/status")
		assert.Eventually(t, func() bool {
			s, _ := src.Load()
			return s.Known
		}, eventually, tick)
		s, _ := src.Load()
		set, _ := s.Value.Value.Addrs(t.Context()).Load()
		require.Len(t, set.Value.Endpoints, 1)
		assert.Equal(t, "http.status/401", set.Value.Endpoints[0].Addr)
	}
}

// TestMachines is X16 as far as it can be configured.
func TestMachines(t *testing.T) {
	w := newWorld(t)
	w.put("masks", of("10.0.0.2:1", "10.0.0.200:1", "10.0.1.1:1", "10.1.0.1:1", "[::a00:1]:1"))
	in := w.interpreter("/svc=>/#/n", w.localnode("10.0.0.127"))
	assert.Equal(t, "L(/%/io.l5d.k8s.localnode/10.0.0.127/#/n/masks) {10.0.0.2:1, 10.0.0.200:1}", w.show(w.bind(in, "/svc/masks")))
}

func TestStrip(t *testing.T) {
	for in, want := range map[string]string{ // X15
		"/%/io.l5d.port/80/#/io.l5d.fs/web": "/#/io.l5d.fs/web",
		"/%/a/b":                            "/",
		"/#/a":                              "/#/a",
		"/%/io.l5d.localhost/%/io.l5d.port/4141/#/n/w": "/#/n/w",
		"/%/io.l5d.const/$/inet/127.1/80":              "/$/inet/127.1/80",
		"/":                                            "/",
		"/a/%/#/b":                                     "/a/%/#/b",
		"/%":                                           "/",
	} {
		assert.Equal(t, want, transformer.Strip(path(in)).String(), in)
	}
}

func TestLocalhostKnowsThisMachine(t *testing.T) {
	w := newWorld(t)
	w.put("me", of("127.0.0.1:80", "203.0.113.9:80"))
	in := w.interpreter("/svc=>/#/n", w.made(transformer.NewLocalhost(transformer.LocalhostConfig{})))
	assert.Equal(t, "L(/%/io.l5d.localhost/#/n/me) {127.0.0.1:80}", w.show(w.bind(in, "/svc/me")))
}

func TestConfigurationErrors(t *testing.T) {
	for _, row := range []struct {
		err  func() error
		want string
	}{
		{func() error { _, err := transformer.NewPort(transformer.PortConfig{}); return err }, "transformer: io.l5d.port: port: 0 is not a port, want 1 to 65535"},
		{func() error {
			_, err := transformer.NewSpecificHost(transformer.SpecificHostConfig{}, transformer.Options{})
			return err
		}, "transformer: io.l5d.specificHost: host: is required"},
		{func() error {
			_, err := transformer.NewSpecificHost(transformer.SpecificHostConfig{Host: "web"}, transformer.Options{})
			return err
		}, `transformer: io.l5d.specificHost: host: "web" is not an IP address, and nothing resolves names`},
		{func() error { _, err := transformer.NewLocalnode(transformer.LocalnodeConfig{}); return err }, "transformer: io.l5d.k8s.localnode: POD_IP environment variable must be set to the pod's IP"},
		{func() error {
			_, err := transformer.NewLocalnode(transformer.LocalnodeConfig{PodIP: "x"})
			return err
		}, `transformer: io.l5d.k8s.localnode: POD_IP environment variable: ParseAddr("x"): unable to parse IP`},
		{func() error {
			_, err := transformer.NewLocalnode(transformer.LocalnodeConfig{HostNetwork: true, PodIP: "1.1.1.1"})
			return err
		}, "transformer: io.l5d.k8s.localnode: NODE_NAME environment variable must be set to the node's name"},
		{func() error {
			_, err := transformer.NewDaemonset(transformer.DaemonsetConfig{Namespace: "a", Port: "b"}, newWorld(t), transformer.Options{})
			return err
		}, "transformer: io.l5d.k8s.daemonset: service: is required"},
		{func() error {
			_, err := transformer.NewConst(transformer.PathConfig{}, newWorld(t).binder())
			return err
		}, "transformer: io.l5d.const: path: is required"},
		{func() error {
			_, err := transformer.NewReplace(transformer.PathConfig{Path: path("/a")}, nil)
			return err
		}, "transformer: io.l5d.replace: there is nothing that binds its path"},
	} {
		assert.EqualError(t, row.err(), row.want)
	}
}

func FuzzStrip(f *testing.F) {
	for _, s := range []string{"/%/a/#/b", "/%/%", "/#", "/", "/%/$/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := dtab.ParsePath(s)
		if err != nil {
			return
		}
		got := transformer.Strip(id)
		assert.NotEqual(t, "%", got.Elem(0), "%s is still transformed", id)
		assert.Equal(t, got, transformer.Strip(got), "the same twice")
		assert.True(t, got.IsEmpty() || strings.HasSuffix(id.String(), got.String()))
	})
}
