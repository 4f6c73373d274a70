package http1

import (
	"context"
	"log/slog"
)

// logger is a *slog.Logger that may be nil.
type logger struct{ l *slog.Logger }

func (l logger) warn(what string, err error) {
	if l.l != nil {
		l.l.Warn(what, slog.Any("err", err))
	}
}

func (l logger) debug(what, remote string, err error) {
	if l.l != nil {
		l.l.Debug(what, slog.String("caller", remote), slog.Any("err", err))
	}
}

func (l logger) panicked(ctx context.Context, remote string, value any, stack []byte) {
	if l.l != nil {
		l.l.LogAttrs(ctx, slog.LevelError, "http1: the handler panicked",
			slog.String("caller", remote), slog.Any("panic", value), slog.String("stack", string(stack)))
	}
}
