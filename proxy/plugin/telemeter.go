package plugin

import (
	"context"

	"github.com/weft-mesh/weft/telemetry"
)

// Telemeter is what a telemeter contributes to the proxy. All fields are
// optional.
type Telemeter struct {
	// Tracer is told of the spans of the traces that it samples.
	Tracer telemetry.Sampled
	// Recent, if set, is what /requests shows.
	Recent *telemetry.Recent
	// Prometheus, if set, is where and with which prefix the admin server shows the
	// metrics as Prometheus text.
	Prometheus *Prometheus
	// Influx, if set, has the admin server show the metrics in InfluxDB's line protocol.
	Influx bool
	// Run, if set, exports until ctx ends.
	Run func(ctx context.Context) error
	// Close, if set, ends what was begun when the telemeter was made. It is called after
	// the last request, delivers what is left within a few seconds, and waits for that.
	Close func() error
}

// Prometheus is a page of metrics in Prometheus' formats.
type Prometheus struct {
	Path, Prefix string
	// Compatible has it as the original had it.
	Compatible bool
}
