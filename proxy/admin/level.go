package admin

import (
	"log/slog"
	"math"
	"strings"
)

// Log levels that slog has no names for. Those that it has keep its values, so
// that a slog.Handler can be given any of them.
const (
	LevelAll      = slog.Level(math.MinInt32)
	LevelTrace    = slog.Level(-8)
	LevelCritical = slog.Level(12)
	LevelFatal    = slog.Level(16)
	LevelOff      = slog.Level(math.MaxInt32)
)

// levelName is a level with the name that Linkerd has for it.
type levelName struct {
	level slog.Level
	name  string
}

// levelNames returns all levels, the lowest first.
func levelNames() []levelName {
	return []levelName{
		{LevelAll, "ALL"},
		{LevelTrace, "TRACE"},
		{slog.LevelDebug, "DEBUG"},
		{slog.LevelInfo, "INFO"},
		{slog.LevelWarn, "WARNING"},
		{slog.LevelError, "ERROR"},
		{LevelCritical, "CRITICAL"},
		{LevelFatal, "FATAL"},
		{LevelOff, "OFF"},
	}
}

// ParseLevel returns the level with the given name in Linkerd (ALL, TRACE, DEBUG,
// INFO, WARNING, ERROR, CRITICAL, FATAL, OFF, in any case).
func ParseLevel(name string) (slog.Level, bool) {
	for _, l := range levelNames() {
		if strings.EqualFold(l.name, name) {
			return l.level, true
		}
	}
	return 0, false
}

// LevelName returns the name of l; a level between two names has that of the
// lower one.
func LevelName(l slog.Level) string {
	name := "ALL"
	for _, n := range levelNames() {
		if l >= n.level {
			name = n.name
		}
	}
	return name
}
