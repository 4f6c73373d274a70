package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in released binaries.
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, build := versionOf()
			if build != "" {
				build = " (" + build + ")"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "weft %s%s %s %s/%s\n", v, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// versionOf returns the version and the revision that the binary was built from,
// as far as they are known.
func versionOf() (v, build string) {
	v = version
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return orDev(v), ""
	}
	if v == "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			build = s.Value[:min(12, len(s.Value))]
		}
	}
	return orDev(v), build
}

func orDev(v string) string {
	if v == "" {
		return "dev"
	}
	return v
}
