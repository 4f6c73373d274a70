// Package tapcmd has the commands that look into a running proxy through its admin
// server: weft tap, weft endpoints and weft log.
package tapcmd

import "github.com/spf13/cobra"

// Commands returns the commands.
func Commands() []*cobra.Command {
	return []*cobra.Command{tapCommand(), endpointsCommand(), logCommand()}
}
