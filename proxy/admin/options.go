package admin

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/tap"
	"github.com/weft-mesh/weft/telemetry"
)

// What Options mean unless they say otherwise.
const (
	DefaultName           = "linkerd"
	DefaultPrometheusPath = "/admin/metrics/prometheus"
	DefaultGrace          = 10 * time.Second
	DefaultDelegateBudget = 2 * time.Second
)

// Options say what the server shows. The zero Options are a server of a process
// that routes nothing. Functions are called for each request that needs them,
// concurrently, and must not block unless they have a context.
type Options struct {
	// Name, Version and Build are told by /admin/server_info. An empty Name is
	// DefaultName, which is what tools made for Linkerd look for.
	Name, Version, Build string

	// Start is when the process began. The zero time is when New was called.
	Start time.Time

	// Tree holds the metrics. Nil has none.
	Tree *telemetry.Tree

	// PrometheusPath is where the metrics are in the Prometheus format. Empty is
	// DefaultPrometheusPath. PrometheusPrefix goes before the names of all metrics.
	PrometheusPath, PrometheusPrefix string

	// PrometheusCompatible has them there as the original had them: see prom.Options.
	PrometheusCompatible bool

	// Influx has the page /admin/metrics/influxdb, the metrics in InfluxDB's line protocol.
	Influx bool

	// Recent holds the requests of the page /requests. Nil has no such page.
	Recent *telemetry.Recent

	// ConfigJSON returns the configuration in force. Nil has no /config.json.
	ConfigJSON func() ([]byte, error)

	// UsageJSON returns what /admin/metrics/usage shows. Nil has no such page.
	UsageJSON func() ([]byte, error)

	// Namespaces are those of a namerd. Nil is a proxy.
	Namespaces *Namespaces

	// Routers are shown in this order.
	Routers []Router

	// Delegator explains names when /delegator.json is asked without a namespace:
	// it should know the names under /$ only. Nil cannot.
	Delegator naming.Delegator

	// DelegateBudget is how long an explanation, or the list of bound names, may
	// take. Zero is DefaultDelegateBudget.
	DelegateBudget time.Duration

	// BoundNames returns the ids of all names that namers can list. Nil is none.
	BoundNames func(ctx context.Context) []string

	// NamerStates are the pages /namer_state/<key>.json. What the functions return
	// is shown as JSON.
	NamerStates map[string]func() any

	// Discovery is what /discovery.json shows, in this order.
	Discovery []Discovery

	// Announced returns the names under which servers are announced, for
	// /admin/announcer. Nil is none.
	Announced func() []string

	// Levels are the log levels that /logging.json shows and sets. Nil has no such
	// page.
	Levels *Levels

	// Tap shows live requests at /tap. Nil has no such page.
	Tap *tap.Hub

	// Tracing is the switch that /admin/tracing turns. Nil has no such page.
	Tracing *atomic.Bool

	// Shutdown begins to end the process and returns at once, without waiting for
	// the end: it is called by a request that Server.Shutdown waits for. The grace
	// time is not negative. Nil has no /admin/shutdown.
	Shutdown func(grace time.Duration)

	// Grace is the grace time of a shutdown that names none. Zero is DefaultGrace.
	Grace time.Duration

	// Security says which pages are served. The zero Security serves all.
	Security Security

	// Handlers are further pages by path, such as those of telemeters. They get
	// requests of all methods; a path that ends in a slash takes those below it too.
	Handlers map[string]http.Handler

	// Log is told of what is changed through the server and of connections that
	// fail. Nil is silent.
	Log *slog.Logger
}

// withDefaults returns o with what was left out filled in.
func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	if o.PrometheusPath == "" {
		o.PrometheusPath = DefaultPrometheusPath
	}
	if o.DelegateBudget == 0 {
		o.DelegateBudget = DefaultDelegateBudget
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
