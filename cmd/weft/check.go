package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE|-",
		Short: "Check a configuration without running it",
		Long: "Check reads a configuration, of a proxy or of a namerd, and prints everything that is wrong with it, one problem a line with its place,\n" +
			"and not only the first: unknown keys, bad values, what does not fit together, files that cannot be used, and\n" +
			"what Linkerd itself notices only when a request needs it. It exits with 1 if there is an error.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, name, err := read(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			if config.IsNamerd(name, data) {
				cfg, err := loadNamerd(cmd.ErrOrStderr(), name, data)
				if err != nil {
					return err
				}
				return checkNamerd(cmd, cfg)
			}
			cfg, err := loadText(cmd, name, data, config.Options{})
			if err != nil {
				return err
			}
			problems := proxy.Check(cfg)
			if len(problems) > 0 {
				report(cmd.ErrOrStderr(), problems)
				return errReported
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: %d routers, %d namers\n", args[0], len(cfg.Routers), len(cfg.Namers))
			return err
		},
	}
}
