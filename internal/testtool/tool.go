package testtool

import (
	"cmp"
	"os"
	"os/exec"
	"testing"
)

// Tool is a program that is built from the module proxy, by its package path.
type Tool string

// The tools, and what they are for.
const (
	// H2Spec is a conformance suite of HTTP/2 servers.
	H2Spec Tool = "github.com/summerwind/h2spec/cmd/h2spec"
	// InteropClient and InteropServer are gRPC's interoperability tests.
	InteropClient Tool = "google.golang.org/grpc/interop/client"
	InteropServer Tool = "google.golang.org/grpc/interop/server"
	// GRPCurl is curl for gRPC.
	GRPCurl Tool = "github.com/fullstorydev/grpcurl/cmd/grpcurl"
	// KubeAPIServer is the API server of Kubernetes. Building it takes minutes, once.
	KubeAPIServer Tool = "k8s.io/kubernetes/cmd/kube-apiserver"
	// Etcd is the store of the API server, and a discovery of its own.
	Etcd Tool = "go.etcd.io/etcd/server/v3"
	// Consul is for tests only: its licence forbids to ship it.
	Consul Tool = "github.com/hashicorp/consul"
	// CoreDNS is a DNS server.
	CoreDNS Tool = "github.com/coredns/coredns"
	// Jaeger is a collector of traces that takes Zipkin and OTLP and can be asked.
	Jaeger Tool = "github.com/jaegertracing/jaeger/cmd/all-in-one"
	// StatsDExporter is a statsd whose metrics can be read.
	StatsDExporter Tool = "github.com/prometheus/statsd_exporter"
)

// All returns every tool.
func All() []Tool {
	return []Tool{H2Spec, InteropClient, InteropServer, GRPCurl, Etcd, StatsDExporter, CoreDNS, Jaeger, KubeAPIServer, Consul}
}

// kubernetes is the version of the API server, which must be told to it.
const kubernetes = "1.36.3"

// module is the directory beside this file from which a tool is built, and name
// what it is called in the cache.
func (t Tool) module() (dir, name string) {
	switch t {
	case H2Spec:
		return "h2spec", "h2spec"
	case InteropClient:
		return "grpcinterop", "interop-client"
	case InteropServer:
		return "grpcinterop", "interop-server"
	case GRPCurl:
		return "grpcurl", "grpcurl"
	case KubeAPIServer:
		return "kube", "kube-apiserver"
	case Etcd:
		return "etcd", "etcd"
	case Consul:
		return "consul", "consul"
	case CoreDNS:
		return "coredns", "coredns"
	case Jaeger:
		return "jaeger", "jaeger-all-in-one"
	case StatsDExporter:
		return "statsdexporter", "statsd_exporter"
	}
	return "", ""
}

// ldflags are what the linker is told beside -s -w.
func (t Tool) ldflags() string {
	if t != KubeAPIServer {
		return ""
	}
	const v = " -X k8s.io/component-base/version."
	return v + "gitVersion=v" + kubernetes + v + "gitMajor=1" + v + "gitMinor=36"
}

// Get returns the path of a tool, which it builds unless it is in the cache.
func Get(tb testing.TB, t Tool) string {
	tb.Helper()
	path, err := t.Path()
	if err != nil {
		Missing(tb, "testtool: %v", err)
	}
	return path
}

// Installed returns the path of a program of the system. The package is Debian's,
// for the one who reads that it is missing.
func Installed(tb testing.TB, name, debian string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(tb, "testtool: %s is not installed: apt-get install %s", name, debian)
	}
	return path
}

// Missing ends a test that cannot run: it is skipped, or fails where everything must
// be there.
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if Required(os.Getenv) {
		tb.Fatalf(format, args...)
	}
	tb.Skipf("NOT TESTED (CI=true or WEFT_REAL=1 would fail here): "+format, args...)
}

// Required reports whether an environment wants every program to be there.
func Required(getenv func(string) string) bool {
	return cmp.Or(getenv("WEFT_REAL"), "0") != "0" || getenv("CI") == "true"
}
