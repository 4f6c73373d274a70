package standard

import (
	"log/slog"
	"strings"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/config/kinds"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/telemetry"
)

func telemeters() []config.Entry {
	role, t := config.RoleTelemeter, config.Traits{}
	return []config.Entry{
		config.Define(role, "io.l5d.prometheus", func(c kinds.PrometheusTelemeter, _ plugin.TelemeterEnv) (plugin.Telemeter, error) {
			return plugin.Telemeter{Prometheus: &plugin.Prometheus{Path: c.Path, Prefix: c.Prefix, Compatible: c.Compatible}}, nil
		}, t),
		config.Define(role, "io.l5d.influxdb", func(none, plugin.TelemeterEnv) (plugin.Telemeter, error) { return plugin.Telemeter{Influx: true}, nil }, t),
		config.Define(role, "io.l5d.recentRequests", func(c kinds.RecentRequestsTelemeter, _ plugin.TelemeterEnv) (plugin.Telemeter, error) {
			capacity := 0
			if c.Capacity != nil {
				capacity = *c.Capacity
			}
			recent := telemetry.NewRecent(capacity)
			return plugin.Telemeter{Recent: recent, Tracer: telemetry.Sampled{Tracer: recent, Rate: c.SampleRate, Local: true}}, nil
		}, t),
		config.Define(role, "io.l5d.tracelog", func(c kinds.TracelogTelemeter, e plugin.TelemeterEnv) (plugin.Telemeter, error) {
			rate := 1.0
			if c.SampleRate != nil {
				rate = min(max(*c.SampleRate, 0), 1)
			}
			log := telemetry.NewTraceLog(e.Logger.With("logger", "io.l5d.tracelog"), level(c.Level))
			return plugin.Telemeter{Tracer: telemetry.Sampled{Tracer: log, Rate: rate}}, nil
		}, t),
		config.Define(role, "io.l5d.statsd", newStatsD, config.Traits{Experimental: true}),
		config.Define(role, "io.l5d.zipkin", newZipkin, t),
		config.Define(role, "io.weft.otlp", newOTLP, t),
	}
}

// level maps the level names of twitter-util's logging.
func level(name string) slog.Level {
	switch strings.ToUpper(name) {
	case "ALL", "TRACE", "DEBUG":
		return slog.LevelDebug
	case "WARNING", "WARN":
		return slog.LevelWarn
	case "ERROR", "CRITICAL", "FATAL":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
