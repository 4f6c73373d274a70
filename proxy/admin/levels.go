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

// LoggerKey is the attribute that names a logger: what is logged through
//
//	logger.With(admin.LoggerKey, "io.l5d.k8s")
//
// goes by the level of io.l5d.k8s, if the handler of logger is one of Levels.
const LoggerKey = "logger"

// Handler returns a handler that passes to h what the level of the named logger, or
// of the one that LoggerKey names, lets through. The level of h itself still holds.
func (l *Levels) Handler(name string, h slog.Handler) slog.Handler {
	return &levelHandler{levels: l, level: l.Leveler(name), next: h}
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
	levels *Levels
	level  slog.Leveler
	named  string // by LoggerKey, which is written with each record and not before, so that a later name replaces it
	inside bool   // a group, where LoggerKey is an attribute like any other
	next   slog.Handler
}

// Enabled implements slog.Handler.
func (h *levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *levelHandler) Handle(ctx context.Context, r slog.Record) error {
	if h.named != "" {
		r = r.Clone()
		r.AddAttrs(slog.String(LoggerKey, h.named))
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	if !h.inside {
		attrs = slices.DeleteFunc(slices.Clone(attrs), func(a slog.Attr) bool {
			if a.Key != LoggerKey {
				return false
			}
			c.named = a.Value.String()
			c.level = h.levels.Leveler(c.named)
			return true
		})
	}
	if len(attrs) > 0 {
		c.next = h.next.WithAttrs(attrs)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *levelHandler) WithGroup(name string) slog.Handler {
	c := *h
	if name == "" {
		return h
	}
	if c.named != "" { // it would be written inside of the group from here on
		c.next, c.named = c.next.WithAttrs([]slog.Attr{slog.String(LoggerKey, c.named)}), ""
	}
	c.next, c.inside = c.next.WithGroup(name), true
	return &c
}
