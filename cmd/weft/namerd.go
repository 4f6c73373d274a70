package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/namerd/daemon"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

type namerdFlags struct {
	logFlags
	validate bool
	data     string
}

func namerdCommand() *cobra.Command {
	var f namerdFlags
	cmd := &cobra.Command{
		Use:   "namerd [FILE|-]",
		Short: "Run a control plane from a namerd configuration",
		Long: "Namerd reads a namerd 1.x configuration (YAML or JSON; - is standard input) and serves it until SIGINT or\n" +
			"SIGTERM, or POST /admin/shutdown.\n\n" +
			"Without a file it keeps its dtabs in a file of its own, which survives crashes, and serves every interface on\n" +
			"its default port on 127.0.0.1: HTTP 4180, thrift 4100, mesh (gRPC) 4321, destination 8086, admin 9991.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runNamerd(cmd, args, f) },
	}
	cmd.Flags().BoolVar(&f.validate, "validate", false, "check the configuration and exit")
	f.register(cmd)
	cmd.Flags().StringVar(&f.data, "data", "", "the file of the dtabs, without a configuration (default "+dataFile("$HOME", "")+")")
	return cmd
}

func runNamerd(cmd *cobra.Command, args []string, f namerdFlags) error {
	cfg, err := namerdConfig(cmd, args, f.data)
	if err != nil {
		return err
	}
	if f.validate {
		return checkNamerd(cmd, cfg)
	}
	levels, logger, err := f.logger(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	v, build := versionOf()
	d, err := daemon.New(cfg, daemon.Options{Logger: logger, Levels: levels, Version: v, Build: build})
	if err != nil {
		return err
	}
	paceGC()
	addrs, err := d.Start()
	if err != nil {
		return err
	}
	for _, i := range addrs.Interfaces {
		fmt.Fprintf(cmd.ErrOrStderr(), "serving %s on %s\n", i.Kind, i.Address)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "serving admin on http://%s\n", addrs.Admin)
	return wait(cmd.Context(), d, logger)
}

// namerdConfig reads the configuration that the command line names, or makes the one
// of a machine that has none.
func namerdConfig(cmd *cobra.Command, args []string, data string) (*config.Namerd, error) {
	if len(args) == 1 {
		if data != "" {
			return nil, fmt.Errorf("--data is for a control plane without a configuration: set storage in %s", args[0])
		}
		text, name, err := read(cmd.InOrStdin(), args[0])
		if err != nil {
			return nil, err
		}
		return loadNamerd(cmd.ErrOrStderr(), name, text)
	}
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("where the dtabs are to be kept cannot be told (%w): set --data FILE", err)
		}
		data = dataFile(home, os.Getenv("XDG_STATE_HOME"))
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "no configuration: dtabs are kept in %s\n", data)
	return loadNamerd(cmd.ErrOrStderr(), "(no configuration)", []byte(`storage: {kind: io.weft.file, path: '`+strings.ReplaceAll(data, "'", "''")+`'}
interfaces:
- kind: io.l5d.httpController
- kind: io.l5d.thriftNameInterpreter
- kind: io.l5d.mesh
- kind: io.l5d.destination
`))
}

// dataFile is where dtabs are kept by who has not said so.
func dataFile(home, state string) string {
	if state == "" {
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "weft", "namerd.db")
}

func loadNamerd(errs io.Writer, name string, text []byte) (*config.Namerd, error) {
	reg, err := standard.Registry()
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadNamerd(name, text, config.Options{Registry: reg})
	if problems, ok := asProblems(err); ok {
		report(errs, problems)
		return nil, errReported
	}
	if err != nil {
		return nil, err
	}
	report(errs, cfg.Warnings)
	return cfg, nil
}

// checkNamerd makes the control plane without listening.
func checkNamerd(cmd *cobra.Command, cfg *config.Namerd) error {
	if problems := daemon.Check(cfg); len(problems) > 0 {
		report(cmd.ErrOrStderr(), problems)
		return errReported
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: storage %s, %d interfaces, %d namers\n", cfg.File(), cfg.Storage.Kind, len(cfg.Interfaces), len(cfg.Namers))
	return err
}
