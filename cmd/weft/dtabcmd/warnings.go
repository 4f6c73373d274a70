package dtabcmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// warnings shows what the client logs as a line each.
type warnings struct{ w io.Writer }

// Enabled implements slog.Handler.
func (*warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (h *warnings) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("weft: warning: " + r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, ", %s: %s", a.Key, a.Value)
		return true
	})
	_, err := fmt.Fprintln(h.w, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *warnings) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements slog.Handler.
func (h *warnings) WithGroup(string) slog.Handler { return h }
