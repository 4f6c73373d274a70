package admin

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
)

// RootLogger is the name of the logger that all others follow.
const RootLogger = "root"

// Levels are the log levels of named loggers, as /logging.json shows and sets
// them. A logger whose level was not set has that of its nearest parent by name
// ("io.l5d" is a parent of "io.l5d.k8s"), at last that of root. The zero Levels
// have root at INFO and nothing else. They are safe for concurrent use and must
// not be copied.
type Levels struct {
	mu      sync.Mutex
	root    slog.LevelVar
	loggers map[string]*loggerLevel
}

type loggerLevel struct {
	level slog.LevelVar // in force
	set   bool          // by itself, not followed from a parent
}

// Leveler returns the level of the named logger, which is made known if need be.
// It stays up to date. The empty name is root.
func (l *Levels) Leveler(name string) slog.Leveler {
	if name == "" || name == RootLogger {
		return &l.root
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.loggers[name]
	if !ok {
		g = &loggerLevel{}
		if l.loggers == nil {
			l.loggers = map[string]*loggerLevel{}
		}
		l.loggers[name] = g
		l.spread()
	}
	return &g.level
}

// Handler returns a handler that passes to h what the level of the named logger
// lets through. The level of h itself still holds.
func (l *Levels) Handler(name string, h slog.Handler) slog.Handler {
	return &levelHandler{level: l.Leveler(name), next: h}
}

// Set makes level that of the named logger and reports whether there is one.
func (l *Levels) Set(name string, level slog.Level) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name == RootLogger {
		l.root.Set(level)
	} else {
		g, ok := l.loggers[name]
		if !ok {
			return false
		}
		g.level.Set(level)
		g.set = true
	}
	l.spread()
	return true
}

// LoggerLevel is a logger with the level in force.
type LoggerLevel struct {
	Logger string `json:"logger"`
	Level  string `json:"level"`
}

// All returns all loggers, sorted by name.
func (l *Levels) All() []LoggerLevel {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []LoggerLevel{{RootLogger, LevelName(l.root.Level())}}
	for name, g := range l.loggers {
		all = append(all, LoggerLevel{name, LevelName(g.level.Level())})
	}
	slices.SortFunc(all, func(a, b LoggerLevel) int { return strings.Compare(a.Logger, b.Logger) })
	return all
}

// spread gives every logger without a level of its own that of its parent. A
// parent's name is shorter than the child's and sorts before it.
func (l *Levels) spread() {
	for _, name := range slices.Sorted(maps.Keys(l.loggers)) {
		if g := l.loggers[name]; !g.set {
			g.level.Set(l.parent(name).Level())
		}
	}
}

func (l *Levels) parent(name string) slog.Leveler {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return &l.root
		}
		name = name[:dot]
		if g, ok := l.loggers[name]; ok {
			return &g.level
		}
	}
}

// levelHandler is a slog.Handler with a level before it.
type levelHandler struct {
	level slog.Leveler
	next  slog.Handler
}

// Enabled implements slog.Handler.
func (h *levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *levelHandler) Handle(ctx context.Context, r slog.Record) error { return h.next.Handle(ctx, r) }

// WithAttrs implements slog.Handler.
func (h *levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &levelHandler{h.level, h.next.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *levelHandler) WithGroup(name string) slog.Handler {
	return &levelHandler{h.level, h.next.WithGroup(name)}
}
