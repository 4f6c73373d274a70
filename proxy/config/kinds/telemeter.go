package kinds

import (
	"time"

	"github.com/weft-mesh/weft/proxy/config"
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

// ZipkinTelemeter is the configuration of io.l5d.zipkin.
type ZipkinTelemeter struct {
	Host       string   `yaml:"host"`                          // localhost
	Port       *int     `yaml:"port" weft:"port"`              // 9410
	SampleRate *float64 `yaml:"sampleRate" weft:"min=0,max=1"` // 0.001
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
	}
}
