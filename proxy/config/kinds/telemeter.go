package kinds

import (
	"cmp"
	"strings"
	"time"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/telemetry/otlp"
	"github.com/weft-mesh/weft/telemetry/zipkin"
)

// PrometheusTelemeter is the configuration of io.l5d.prometheus.
type PrometheusTelemeter struct {
	Path   string `yaml:"path"` // /admin/metrics/prometheus
	Prefix string `yaml:"prefix"`

	// Compatible is weft's own key: the output is the original's to the letter, with
	// counts of the last window and without types.
	Compatible bool `yaml:"compatible"`
}

// StatsDTelemeter is the configuration of io.l5d.statsd.
type StatsDTelemeter struct {
	Prefix        string         `yaml:"prefix"`                               // linkerd
	Hostname      string         `yaml:"hostname"`                             // 127.0.0.1
	Port          *int           `yaml:"port" weft:"port"`                     // 8125
	GaugeInterval *time.Duration `yaml:"gaugeIntervalMs" weft:"unit=ms,min=1"` // 10 s
	SampleRate    *float64       `yaml:"sampleRate" weft:"min=0,max=1"`        // 0.01
}

// RecentRequestsTelemeter is the configuration of io.l5d.recentRequests.
type RecentRequestsTelemeter struct {
	SampleRate float64 `yaml:"sampleRate" weft:"required,min=0,max=1"`
	Capacity   *int    `yaml:"capacity" weft:"min=1"` // 10
}

// TracelogTelemeter is the configuration of io.l5d.tracelog. The rate is clamped to
// what makes sense, as in the original.
type TracelogTelemeter struct {
	SampleRate *float64 `yaml:"sampleRate"` // 1.0
	Level      string   `yaml:"level"`      // INFO
}

// ZipkinTelemeter is the configuration of io.l5d.zipkin. The keys from URL on are weft's.
type ZipkinTelemeter struct {
	Host       string   `yaml:"host"`                          // localhost
	Port       *int     `yaml:"port" weft:"port"`              // 9410
	SampleRate *float64 `yaml:"sampleRate" weft:"min=0,max=1"` // 0.001

	URL         string            `yaml:"url"`         // instead of host and port
	TLS         *config.ClientTLS `yaml:"tls"`         // of an https url
	ServiceName string            `yaml:"serviceName"` // the label of the router or client

	SpanDelivery `yaml:",inline"`
}

// Validate checks that the address is one.
func (c *ZipkinTelemeter) Validate() error {
	if c.URL == "" {
		if c.TLS.On() {
			return keyError{key: "tls", message: "tls needs a url with https"}
		}
		return nil
	}
	if c.Host != "" || c.Port != nil {
		return keyError{key: "url", message: "url takes the place of host and port: remove those"}
	}
	u, err := zipkin.ParseURL(c.URL)
	if err != nil {
		return keyError{key: "url", message: err.Error()}
	}
	if c.TLS.On() && u.Scheme != "https" {
		return keyError{key: "tls", message: "tls needs a url with https"}
	}
	return nil
}

// OTLPTelemeter is the configuration of io.weft.otlp, which the original does not have.
type OTLPTelemeter struct {
	Endpoint    string            `yaml:"endpoint"`                       // localhost:4317, with http localhost:4318
	Protocol    string            `yaml:"protocol" weft:"enum=grpc|http"` // grpc
	Headers     map[string]string `yaml:"headers" weft:"secret"`
	TLS         *config.ClientTLS `yaml:"tls"`
	SampleRate  *float64          `yaml:"sampleRate" weft:"min=0,max=1"` // 0.001
	ServiceName string            `yaml:"serviceName"`                   // weft
	Resource    map[string]string `yaml:"resource"`                      // attributes besides service.name

	SpanDelivery `yaml:",inline"`
}

// Validate checks that the endpoint is one.
func (c *OTLPTelemeter) Validate() error {
	to, err := otlp.ParseEndpoint(c.Endpoint, cmp.Or(otlp.Protocol(c.Protocol), otlp.GRPC))
	if err != nil {
		return keyError{key: "endpoint", message: err.Error()}
	}
	if c.TLS.On() && strings.HasPrefix(to.String(), "http:") && strings.Contains(c.Endpoint, "://") {
		return keyError{key: "tls", message: "the endpoint says not to use TLS: want https, or no tls"}
	}
	return nil
}

// SpanDelivery is what a telemeter that sends spans to a collector does while it waits.
type SpanDelivery struct {
	Timeout   *time.Duration `yaml:"timeoutMs" weft:"unit=ms,min=1"` // of a request, 5 s
	QueueSize *int           `yaml:"queueSize" weft:"min=1"`         // spans, 8192
}

// Telemeters returns the declarations of the telemeters.
func Telemeters() []config.Entry {
	role := config.RoleTelemeter
	return []config.Entry{
		config.Declare[PrometheusTelemeter](role, "io.l5d.prometheus", stable()),
		config.Declare[none](role, "io.l5d.influxdb", stable()),
		config.Declare[StatsDTelemeter](role, "io.l5d.statsd", experimental()),
		config.Declare[RecentRequestsTelemeter](role, "io.l5d.recentRequests", stable()),
		config.Declare[TracelogTelemeter](role, "io.l5d.tracelog", stable()),
		config.Declare[ZipkinTelemeter](role, "io.l5d.zipkin", stable()),
		config.Declare[OTLPTelemeter](role, "io.weft.otlp", stable()),
	}
}
