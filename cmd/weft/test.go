package main

import (
	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft/cmd/weft/testcmd"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/routetest"
)

func testCommand() *cobra.Command {
	return testcmd.Command(func() (config.Registry, error) { return standard.Registry(routetest.Kinds()...) })
}
