// Command fetch builds every program that tests need into the cache, so that no test
// has to wait for it: some take minutes, once. Where they cannot be had it says so, and
// fails only if CI=true or WEFT_REAL=1 wants them all.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/weft-mesh/weft/internal/testtool"
)

func main() {
	failed := false
	for _, t := range testtool.All() {
		began := time.Now()
		path, err := t.Path()
		if err != nil {
			failed = true
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		if took := time.Since(began); took > time.Second {
			fmt.Fprintf(os.Stderr, "built %s in %s\n", path, took.Round(time.Second))
		}
	}
	if failed && testtool.Required(os.Getenv) {
		os.Exit(1)
	}
}
