package standard

import (
	"cmp"
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"strconv"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/tlsfiles"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/otlp"
	"github.com/weft-mesh/weft/telemetry/statsd"
	"github.com/weft-mesh/weft/telemetry/zipkin"
)

// spanRate is the share of traces that goes to collectors unless the configuration says
// otherwise: the original's for Zipkin.
const spanRate = 0.001

func newStatsD(c kinds.StatsDTelemeter, e plugin.TelemeterEnv) (plugin.Telemeter, error) {
	o := statsd.Options{
		Tree: e.Tree, Prefix: c.Prefix, Host: c.Hostname, Port: or(c.Port), SampleRate: orElse(c.SampleRate, statsd.DefaultSampleRate),
		Interval: or(c.GaugeInterval), Scope: e.Tree.Scope("telemeter", "io.l5d.statsd"), Logger: e.Logger.With("telemeter", "io.l5d.statsd"),
	}
	return plugin.Telemeter{Close: statsd.New(o).Close}, nil
}

func newZipkin(c kinds.ZipkinTelemeter, e plugin.TelemeterEnv) (plugin.Telemeter, error) {
	logger := e.Logger.With("telemeter", "io.l5d.zipkin")
	address := c.URL
	if address == "" {
		address = scribe(c, logger)
	}
	u, err := zipkin.ParseURL(address)
	if err != nil {
		return plugin.Telemeter{}, err
	}
	x, err := zipkin.New(zipkin.Options{
		URL: address, TLS: collectorTLS(c.TLS, u.Hostname()), ServiceName: c.ServiceName, Logger: logger,
		Delivery: delivery(c.SpanDelivery, e, "io.l5d.zipkin"),
	})
	if err != nil {
		return plugin.Telemeter{}, err
	}
	return plugin.Telemeter{Tracer: telemetry.Sampled{Tracer: x, Rate: orElse(c.SampleRate, spanRate)}, Close: x.Close}, nil
}

// scribe turns the original's keys, which mean a Scribe server, into the URL of a
// collector of today.
func scribe(c kinds.ZipkinTelemeter, logger *slog.Logger) string {
	const scribePort, httpPort = 9410, 9411
	port := orElse(c.Port, scribePort)
	if port == scribePort {
		port = httpPort
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(cmp.Or(c.Host, "localhost"), strconv.Itoa(port)), Path: "/api/v2/spans"}
	if orElse(c.Port, scribePort) == scribePort {
		logger.Warn("port 9410 is that of the Scribe protocol, which collectors have given up: spans are posted to Zipkin's HTTP API on port 9411 instead; "+
			"set url to say so, or to say where else, and remove host and port", "url", u.String())
	}
	return u.String()
}

func newOTLP(c kinds.OTLPTelemeter, e plugin.TelemeterEnv) (plugin.Telemeter, error) {
	o := otlp.Options{
		Endpoint: c.Endpoint, Protocol: cmp.Or(otlp.Protocol(c.Protocol), otlp.GRPC), Headers: c.Headers, ServiceName: c.ServiceName,
		Resource: c.Resource, Logger: e.Logger.With("telemeter", "io.weft.otlp"), Delivery: delivery(c.SpanDelivery, e, "io.weft.otlp"),
	}
	to, err := otlp.ParseEndpoint(o.Endpoint, o.Protocol)
	if err != nil {
		return plugin.Telemeter{}, err
	}
	host, _, err := net.SplitHostPort(to.Host)
	if err != nil {
		return plugin.Telemeter{}, err
	}
	o.TLS = collectorTLS(c.TLS, host)
	x, err := otlp.New(o)
	if err != nil {
		return plugin.Telemeter{}, err
	}
	return plugin.Telemeter{Tracer: telemetry.Sampled{Tracer: x, Rate: orElse(c.SampleRate, spanRate)}, Close: x.Close}, nil
}

func delivery(c kinds.SpanDelivery, e plugin.TelemeterEnv, kind string) telemetry.DeliveryOptions {
	return telemetry.DeliveryOptions{Timeout: or(c.Timeout), Queue: or(c.QueueSize), Scope: e.Tree.Scope("telemeter", kind)}
}

// collectorTLS returns what gives the settings of a connection, nil if c says not to use
// TLS. Certificates are those of the host unless c names another.
func collectorTLS(c *config.ClientTLS, host string) func() (*tls.Config, error) {
	if !c.On() {
		return nil
	}
	named := *c
	if named.CommonName == nil {
		named.CommonName = &host
	}
	return tlsfiles.Client(&named)
}

// orElse returns the value of a key, or of one that is not set the default.
func orElse[T any](set *T, otherwise T) T {
	if set == nil {
		return otherwise
	}
	return *set
}
