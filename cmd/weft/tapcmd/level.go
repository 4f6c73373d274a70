package tapcmd

import (
	"log/slog"
	"strings"

	"github.com/weft-mesh/weft/proxy/admin"
)

// ParseLevel is admin.ParseLevel for people, who write WARN, too.
func ParseLevel(text string) (slog.Level, bool) {
	if strings.EqualFold(text, "WARN") {
		return slog.LevelWarn, true
	}
	return admin.ParseLevel(text)
}
