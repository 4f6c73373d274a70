package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// load reads the configuration file that a command names; "-" is standard input.
// Problems are printed one per line; if there are errors among them the error is
// errReported.
func load(cmd *cobra.Command, file string, opts config.Options) (*config.Linker, error) {
	data, name, err := read(cmd.InOrStdin(), file)
	if err != nil {
		return nil, err
	}
	return loadText(cmd, name, data, opts)
}

// loadText is load for a configuration that has been read.
func loadText(cmd *cobra.Command, name string, data []byte, opts config.Options) (*config.Linker, error) {
	reg, err := standard.Registry()
	if err != nil {
		return nil, err
	}
	opts.Registry = reg
	cfg, err := config.Load(name, data, opts)
	if problems, ok := asProblems(err); ok {
		report(cmd.ErrOrStderr(), problems)
		return cfg, errReported
	}
	if err != nil {
		return nil, err
	}
	report(cmd.ErrOrStderr(), cfg.Warnings)
	return cfg, nil
}

func asProblems(err error) (config.Problems, bool) { return errors.AsType[config.Problems](err) }

func read(in io.Reader, file string) (data []byte, name string, err error) {
	if file == "-" {
		data, err = io.ReadAll(in)
		return data, "stdin", err
	}
	info, err := os.Stat(file)
	if err != nil || info.IsDir() {
		return nil, "", fmt.Errorf("config is not a file: %s", file)
	}
	data, err = os.ReadFile(file)
	return data, file, err
}

func report(w io.Writer, problems config.Problems) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
}
