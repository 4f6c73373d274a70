package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// TraceLog is a Tracer that writes a line for each annotation and each tag of a
// span when it happens, as io.l5d.tracelog does: the lines of one request are in the
// order of time, whichever span they are of.
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

// Record implements Tracer, for spans that are made elsewhere: of those of Tracers.Start
// it is told as they happen.
func (l *TraceLog) Record(s Span) {
	for _, a := range s.Annotations {
		l.note(s.Trace, a.Time, a.Value)
	}
	for _, t := range s.Tags {
		l.note(s.Trace, s.Start, t.Key+"="+t.Value)
	}
}

// note writes a line, "MMdd HH:mm:ss.SSS id] what" with the time in UTC.
func (l *TraceLog) note(t Trace, at time.Time, what string) {
	ctx := context.Background()
	if !l.log.Enabled(ctx, l.level) {
		return
	}
	l.log.Log(ctx, l.level, at.UTC().Format("0102 15:04:05.000")+" "+t.String()+"] "+what)
}
