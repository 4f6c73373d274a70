package servers

import (
	"context"
	"os/exec"
	"testing"

	"github.com/weft-mesh/weft/internal/testtool"
)

// StatsD is a running statsd_exporter: a statsd whose metrics can be read as text.
type StatsD struct {
	*Server
	// Port is where it takes UDP on 127.0.0.1.
	Port int
	// Metrics is the URL of the page with what it was told, in Prometheus' format.
	Metrics string
}

// StartStatsD starts a statsd.
func StartStatsD(tb testing.TB) *StatsD {
	tb.Helper()
	bin, p := testtool.Get(tb, testtool.StatsDExporter), ports(tb, 2)
	s := &StatsD{Port: p[0], Metrics: "http://" + loopback(p[1]) + "/metrics"}
	command := func() *exec.Cmd {
		return exec.Command(bin, "--web.listen-address="+loopback(p[1]), "--statsd.listen-udp="+loopback(p[0]), "--statsd.listen-tcp=") //nolint:noctx // it ends with the test
	}
	s.Server = start(tb, "statsd_exporter", command, func(ctx context.Context) error {
		return get(ctx, s.Metrics, "statsd_exporter_lines_total")
	})
	return s
}

// Has returns nil if the page of metrics has the text.
func (s *StatsD) Has(ctx context.Context, text string) error { return get(ctx, s.Metrics, text) }
