package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// TraceLog is a Tracer that writes a line for each annotation and each tag of a
// span, as io.l5d.tracelog does.
type TraceLog struct {
	log   *slog.Logger
	level slog.Level
}

// NewTraceLog returns a tracer that logs to logger at the level. A nil logger makes
// it silent.
func NewTraceLog(logger *slog.Logger, level slog.Level) *TraceLog {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &TraceLog{log: logger.With("logger", "io.l5d.tracelog"), level: level}
}

// Record implements Tracer. A line is "MMdd HH:mm:ss.SSS id] what" with the time
// in UTC.
func (l *TraceLog) Record(s Span) {
	ctx := context.Background()
	if !l.log.Enabled(ctx, l.level) {
		return
	}
	id := s.Trace.String()
	line := func(at time.Time, what string) {
		l.log.Log(ctx, l.level, at.UTC().Format("0102 15:04:05.000")+" "+id+"] "+what)
	}
	for _, a := range s.Annotations {
		line(a.Time, a.Value)
	}
	for _, t := range s.Tags {
		line(s.Start, t.Key+"="+t.Value)
	}
}
