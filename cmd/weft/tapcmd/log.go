package tapcmd

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/proxy/admin"
)

func logCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "log [LOGGER [LEVEL]]",
		Short: "Show or set the log levels of a running proxy or control plane",
		Long: "Log shows the loggers of a running proxy (or, with --admin 127.0.0.1:9991, of a namerd) with their levels, or the\n" +
			"level of one, or sets it. A logger that was never set has the level of its parent: io.l5d.k8s that of io.l5d, and\n" +
			"that of root. Levels are ALL, TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL and OFF.",
		Args: cobra.MaximumNArgs(2),
		RunE: s.log,
	}
	s.flag(cmd)
	return cmd
}

// logger is one of /logging.json.
type logger struct{ Logger, Level string }

func (s *server) log(cmd *cobra.Command, args []string) error {
	all, err := s.loggers(cmd)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		for _, l := range all {
			fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s\n", l.Level, l.Logger)
		}
		return nil
	}
	now, ok := levelOf(all, args[0])
	if !ok {
		names := make([]string, len(all))
		for i, l := range all {
			names[i] = l.Logger
		}
		return fmt.Errorf("there is no logger %s: there are %s", args[0], strings.Join(names, ", "))
	}
	if len(args) == 1 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), now)
		return err
	}
	parsed, ok := ParseLevel(args[1])
	if !ok {
		return fmt.Errorf("%s is no level: want ALL, TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL or OFF", args[1])
	}
	level := admin.LevelName(parsed)
	body, err := s.do(cmd.Context(), http.MethodPost, "/logging.json", values("logger", args[0], "level", level))
	if err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	// The server says nothing of what it did not do.
	if all, err = s.loggers(cmd); err != nil {
		return err
	}
	if now, _ = levelOf(all, args[0]); now != level {
		return fmt.Errorf("the level of %s is still %s", args[0], now)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], now)
	return err
}

func (s *server) loggers(cmd *cobra.Command) ([]logger, error) {
	var all []logger
	err := s.get(cmd.Context(), "/logging.json", nil, &all)
	return all, err
}

func levelOf(all []logger, name string) (string, bool) {
	for _, l := range all {
		if l.Logger == name {
			return l.Level, true
		}
	}
	return "", false
}
