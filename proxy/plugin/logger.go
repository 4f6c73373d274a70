package plugin

import "log/slog"

// Named returns l under a name of its own, which lines have as the attribute "logger"
// and admin.Levels has a level for: a plug-in's is its kind. A nil l is silent.
func Named(l *slog.Logger, name string) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.With("logger", name)
}
