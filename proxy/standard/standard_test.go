package standard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/standard"
)

// around returns a configuration in which a kind of a role stands at its place.
func around(role config.Role, kind string) string {
	server := "servers: [{port: 0}]"
	router := func(keys string) string { return "routers:\n- {protocol: http, " + server + ", " + keys + "}\n" }
	h2 := func(keys string) string { return "routers:\n- {protocol: h2, " + server + ", " + keys + "}\n" }
	plain := "routers:\n- {protocol: http, " + server + "}\n"
	switch role {
	case config.RoleProtocol:
		name, keys, _ := strings.Cut(strings.Trim(kind, "{}"), ", ")
		return "routers:\n- {protocol: " + strings.TrimPrefix(name, "kind: ") + ", " + server + ", " + keys + "}\n"
	case config.RoleNamer:
		return "namers: [" + kind + "]\n" + plain
	case config.RoleTelemeter:
		return "telemetry: [" + kind + "]\n" + plain
	case config.RoleInterpreter:
		return router("interpreter: " + kind)
	case config.RoleTransformer:
		return router("interpreter: {kind: default, transformers: [" + kind + "]}")
	case config.RoleAnnouncer:
		return router("announcers: [" + kind + "]")
	case config.RoleLoadBalancer:
		return router("client: {loadBalancer: " + kind + "}")
	case config.RoleFailureAccrual:
		return router("client: {failureAccrual: " + kind + "}")
	case config.RoleRequestAuthorizer:
		return router("client: {requestAuthorizers: [" + kind + "]}")
	case config.RoleBackoff:
		return router("service: {retries: {backoff: " + kind + "}}")
	case config.RoleLabeler:
		return "routers:\n- {protocol: http, servers: [{port: 0, addForwardedHeader: {by: " + kind + ", for: " + kind + "}}]}\n"
	case config.RoleHTTPIdentifier:
		return router("identifier: " + kind)
	case config.RoleHTTPClassifier:
		return router("service: {responseClassifier: " + kind + "}")
	case config.RoleHTTPPropagator:
		return router("tracePropagator: " + kind)
	case config.RoleH2Identifier:
		return h2("identifier: " + kind)
	case config.RoleH2Classifier:
		return h2("service: {responseClassifier: " + kind + "}")
	case config.RoleH2Propagator:
		return h2("tracePropagator: " + kind)
	default:
		return ""
	}
}

// needed are the keys that kinds cannot do without.
func needed(dir string) map[string]string {
	return map[string]string{
		"io.l5d.fs":                  "rootDir: " + dir,
		"interpreter io.l5d.fs":      "dtabFile: " + dir + "/dtab",
		"io.l5d.rewrite":             "prefix: /rw, pattern: '/{a}', name: '/x/{a}'",
		"io.l5d.static":              "path: /a",
		"io.l5d.consecutiveFailures": "failures: 5",
		"io.l5d.successRate":         "successRate: 0.5, requests: 5",
		"io.l5d.successRateWindowed": "successRate: 0.5, window: 5",
		"jittered":                   "minMs: 1, maxMs: 2",
		"io.l5d.recentRequests":      "sampleRate: 1.0",
		"labeler static":             "label: x",
		"io.l5d.k8s.external":        "experimental: true",
		"io.l5d.dnssrv":              "experimental: true",
		"io.l5d.rancher":             "experimental: true",
		"io.l5d.curator":             "experimental: true, zkAddrs: [{host: 127.0.0.1}]",
		"namer io.l5d.serversets":    "zkAddrs: [{host: 127.0.0.1}]",
		"io.l5d.serversets":          "zkAddrs: [{host: 127.0.0.1}]",
		"io.l5d.zkLeader":            "zkAddrs: [{host: 127.0.0.1, port: 1}]",
		"io.l5d.etcd":                "endpoints: ['http://127.0.0.1:1']",
		"io.l5d.k8s.configMap":       "experimental: true, name: a, filename: b",
		"io.l5d.statsd":              "experimental: true",
		"telemeter io.l5d.zipkin":    "port: 1",
		"io.weft.otlp":               "endpoint: 127.0.0.1:1",
		"io.l5d.namerd":              "dst: /$/inet/127.1/1",
		"io.l5d.namerd.http":         "experimental: true, dst: /$/inet/127.1/1",
		"io.l5d.mesh":                "dst: /$/inet/127.1/1",
		"io.l5d.port":                "port: 1",
		"io.l5d.const":               "path: /$/inet/1",
		"io.l5d.replace":             "path: /$/inet/1",
		"io.l5d.specificHost":        "host: 127.0.0.1",
		"io.l5d.k8s.localnode":       "hostNetwork: true",
		"io.l5d.k8s.daemonset":       "namespace: a, service: b, port: c",

		"storage io.weft.file":  "path: " + dir + "/namerd.db",
		"storage io.l5d.etcd":   "experimental: true, host: 127.0.0.1, port: 1",
		"storage io.l5d.consul": "port: 1",
		"storage io.l5d.k8s":    "port: 1",
		"storage io.l5d.zk":     "zkAddrs: [{host: 127.0.0.1, port: 1}], authInfo: {scheme: digest, auth: 'a:b'}, acls: [{scheme: auth, perms: crwda}]",
		"interface io.l5d.mesh": "h2AccessLog: " + dir + "/access.log",
		"io.l5d.httpController": "ip: 127.0.0.1",

		"io.l5d.h2.grpc.retryableStatusCodes": "retryableStatusCodes: [14]",
	}
}

// buildsNamerd makes a control plane with one part of the kind. Nothing listens.
func buildsNamerd(t *testing.T, reg config.Registry, role config.Role, kind string) {
	t.Helper()
	storage, iface := "{kind: io.l5d.inMemory}", "{kind: io.l5d.httpController}"
	if role == config.RoleStorage {
		storage = kind
	} else {
		iface = kind
	}
	cfg, err := config.LoadNamerd("namerd.yaml", []byte("storage: "+storage+"\ninterfaces: ["+iface+"]\n"), config.Options{Registry: reg})
	require.NoError(t, err)
	assert.Empty(t, daemon.Check(cfg))
}

func TestEveryKindIsBuiltOrRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dtab"), nil, 0o644))
	t.Setenv("NODE_NAME", "here")
	t.Setenv("POD_NAMESPACE", "default")
	reg, err := standard.Registry()
	require.NoError(t, err)
	keys := needed(dir)
	built := map[config.Role][]string{}
	for _, e := range reg.Entries() {
		t.Run(fmt.Sprintf("%s %s", e.Role, e.Name), func(t *testing.T) {
			kind := "{kind: " + "'" + e.Name + "'"
			if e.Role == config.RoleProtocol {
				kind = "{kind: " + e.Name
			}
			if k, ok := keys[string(e.Role)+" "+e.Name]; ok {
				kind += ", " + k
			} else if k, ok := keys[e.Name]; ok && e.Built() {
				kind += ", " + k
			}
			if e.Role == config.RoleStorage || e.Role == config.RoleInterface {
				require.True(t, e.Built())
				buildsNamerd(t, reg, e.Role, kind+"}")
				built[e.Role] = append(built[e.Role], e.Name)
				return
			}
			yaml := around(e.Role, kind+"}")
			cfg, err := config.Load("linkerd.yaml", []byte("admin: {port: 0}\n"+yaml), config.Options{Registry: reg})
			if !e.Built() {
				require.ErrorContains(t, err, e.Name)
				want := "this version of weft does not implement it yet"
				if strings.Contains(e.Name, "istio") {
					want = "of Linkerd 1.x cannot be used any more"
				}
				require.ErrorContains(t, err, want)
				return
			}
			built[e.Role] = append(built[e.Role], e.Name)
			if h2, _ := reg.Lookup(config.RoleProtocol, "h2"); !h2.Built() && strings.HasPrefix(string(e.Role), "h2.") {
				require.ErrorContains(t, err, `protocol "h2"`)
				require.NotContains(t, err.Error(), e.Name)
				return
			}
			require.NoError(t, err, yaml)
			p, err := proxy.New(cfg, proxy.Options{})
			require.NoError(t, err)
			require.NoError(t, p.Close())
			// What concerns one name only is built when the name comes up.
			_, err = policy.Client(cfg.Routers[0].Client.For(dtab.MustPath("/x")))
			require.NoError(t, err)
			_, err = policy.Service(cfg.Routers[0].Service.For(dtab.MustPath("/svc/x")))
			require.NoError(t, err)
		})
	}
	assert.Equal(t, map[config.Role][]string{
		config.RoleProtocol: {"h2", "http"},
		config.RoleNamer: {
			"dns", "io.l5d.consul", "io.l5d.curator", "io.l5d.dnssrv", "io.l5d.etcd", "io.l5d.fs", "io.l5d.k8s", "io.l5d.k8s.external",
			"io.l5d.k8s.ns", "io.l5d.marathon", "io.l5d.rancher", "io.l5d.rewrite", "io.l5d.serversets", "io.l5d.zkLeader",
		},
		config.RoleInterpreter: {
			"default", "io.l5d.consul.interpreter", "io.l5d.fs", "io.l5d.k8s.configMap", "io.l5d.mesh", "io.l5d.namerd", "io.l5d.namerd.http",
		},
		config.RoleTransformer: {
			"io.l5d.const", "io.l5d.k8s.daemonset", "io.l5d.k8s.localnode", "io.l5d.localhost", "io.l5d.port", "io.l5d.replace", "io.l5d.specificHost",
		},
		config.RoleAnnouncer: {"io.l5d.consul", "io.l5d.serversets"},
		config.RoleTelemeter: {
			"io.l5d.influxdb", "io.l5d.prometheus", "io.l5d.recentRequests", "io.l5d.statsd", "io.l5d.tracelog", "io.l5d.zipkin", "io.weft.otlp",
		},
		config.RoleLoadBalancer:   {"aperture", "ewma", "heap", "p2c", "roundRobin"},
		config.RoleFailureAccrual: {"io.l5d.consecutiveFailures", "io.l5d.successRate", "io.l5d.successRateWindowed", "none"},
		config.RoleBackoff:        {"constant", "jittered"},
		config.RoleLabeler:        {"connectionRandom", "ip", "ip:port", "requestRandom", "router", "static"},
		config.RoleHTTPIdentifier: {"io.l5d.header", "io.l5d.header.token", "io.l5d.ingress", "io.l5d.methodAndHost", "io.l5d.path", "io.l5d.static"},
		config.RoleHTTPClassifier: {
			"io.l5d.http.allSuccessful", "io.l5d.http.nonRetryable5XX", "io.l5d.http.retryableAll5XX",
			"io.l5d.http.retryableIdempotent5XX", "io.l5d.http.retryableRead5XX",
		},
		config.RoleHTTPPropagator: {"io.l5d.default", "io.l5d.zipkin"},
		config.RoleH2Identifier:   {"io.l5d.header.path", "io.l5d.header.token", "io.l5d.ingress"},
		config.RoleH2Classifier: {
			"io.l5d.h2.allSuccessful", "io.l5d.h2.grpc.alwaysRetryable", "io.l5d.h2.grpc.compliant", "io.l5d.h2.grpc.default",
			"io.l5d.h2.grpc.neverRetryable", "io.l5d.h2.grpc.retryableStatusCodes", "io.l5d.h2.nonRetryable5XX",
			"io.l5d.h2.retryableAll5XX", "io.l5d.h2.retryableIdempotent5XX", "io.l5d.h2.retryableRead5XX",
		},
		config.RoleH2Propagator: {"io.l5d.default", "io.l5d.zipkin"},
		config.RoleStorage:      {"io.l5d.consul", "io.l5d.etcd", "io.l5d.inMemory", "io.l5d.k8s", "io.l5d.zk", "io.weft.file"},
		config.RoleInterface:    {"io.l5d.destination", "io.l5d.httpController", "io.l5d.mesh", "io.l5d.thriftNameInterpreter"},
	}, built)
}

func TestRegistryTakesMore(t *testing.T) {
	mine := config.Define(config.RoleBackoff, "mine", func(struct{}, plugin.Env) (int, error) { return 1, nil }, config.Traits{})
	reg, err := standard.Registry(mine)
	require.NoError(t, err)
	_, ok := reg.Lookup(config.RoleBackoff, "mine")
	assert.True(t, ok)
	_, err = standard.Registry(mine, mine)
	require.ErrorContains(t, err, "conflicting subtypes")
	_, err = standard.Registry(config.Define(config.RoleBackoff, "jittered", func(struct{}, plugin.Env) (int, error) { return 1, nil }, config.Traits{}))
	require.ErrorContains(t, err, "conflicting subtypes")
}
