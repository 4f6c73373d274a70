package main

import (
	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/cmd/weft/demo"
)

func demoCommand() *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a two-hop mesh in this process",
		Long: "Demo runs two applications, hello and world, the proxies between them and their control plane, with a world-v2\n" +
			"on the side and a little traffic. It prints commands to try. Nothing needs to be installed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Version, o.Build = versionOf()
			return demo.Run(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	cmd.Flags().IntVar(&o.Outgoing, "outgoing-port", 4140, "port of the router that applications call; 0 is any free one")
	cmd.Flags().IntVar(&o.Incoming, "incoming-port", 4141, "port of the router in front of applications")
	cmd.Flags().IntVar(&o.Admin, "admin-port", 9990, "port of the proxies' admin server")
	cmd.Flags().IntVar(&o.Namerd, "namerd-port", 4180, "port of the control plane's HTTP API")
	cmd.Flags().IntVar(&o.NamerdAdmin, "namerd-admin-port", 9991, "port of the control plane's admin server")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "directory for the demo's files (a temporary one if empty)")
	return cmd
}
