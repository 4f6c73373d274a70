package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/cmd/weft/tapcmd"
	"github.com/weft-mesh/weft/proxy/admin"
)

// logFlags are how a proxy or a control plane logs.
type logFlags struct {
	json   bool
	levels []string
}

func (f *logFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "log-json", false, "log as JSON")
	cmd.Flags().StringSliceVar(&f.levels, "log-level", nil,
		"levels of logs: LEVEL, or `LOGGER=LEVEL,...` such as io.l5d.k8s=DEBUG; also -log.level=LEVEL. They can be changed later: see weft log")
}

// logger returns the logger, and the levels of all the loggers that are made of it.
func (f *logFlags) logger(w io.Writer) (*admin.Levels, *slog.Logger, error) {
	levels := &admin.Levels{}
	for _, text := range f.levels {
		name, level, ok := strings.Cut(text, "=")
		if !ok {
			name, level = admin.RootLogger, text
		}
		l, known := tapcmd.ParseLevel(strings.TrimSpace(level))
		if name = strings.TrimSpace(name); !known || name == "" {
			return nil, nil, fmt.Errorf("--log-level %q: want LEVEL or LOGGER=LEVEL, with one of ALL, TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL, OFF", text)
		}
		levels.Leveler(name) // makes it known, before whoever logs through it is
		levels.Set(name, l)
	}
	var h slog.Handler
	opts := &slog.HandlerOptions{Level: admin.LevelAll} // levels decides
	if f.json {
		h = slog.NewJSONHandler(w, opts)
	} else {
		h = slog.NewTextHandler(w, opts)
	}
	return levels, slog.New(levels.Handler(admin.RootLogger, h)), nil
}

// oldFlags turns the flag of Linkerd's processes, -log.level=DEBUG, into ours.
func oldFlags(args []string) []string {
	now := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(now[i:], args[i:])
			break
		}
		if level, ok := strings.CutPrefix(a, "-log.level"); ok && (level == "" || level[0] == '=') {
			a = "--log-level" + level
		}
		now[i] = a
	}
	return now
}
