package dtabcmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// readDirectory reads the dtabs in the files of a directory, by their names without
// the extension. It reports everything that is wrong with any of them.
func readDirectory(dir string) (map[string]dtab.Dtab, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]dtab.Dtab{}
	from := map[string]string{}
	var problems []error
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		ext := filepath.Ext(e.Name())
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.EqualFold(ext, ".md") {
			continue
		}
		namespace := strings.TrimSuffix(e.Name(), ext)
		if !slices.Contains([]string{".dtab", ".json", ".yaml", ".yml"}, ext) || namespace == "" {
			problems = append(problems, fmt.Errorf("%s:1:1: not the dtab of a namespace: want NAME.dtab, NAME.yaml or NAME.json", file))
			continue
		}
		if other, twice := from[namespace]; twice {
			problems = append(problems, fmt.Errorf("%s:1:1: the namespace %s is in %s already", file, namespace, other))
			continue
		}
		from[namespace] = file
		b, err := os.ReadFile(file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		in, err := parseInput(file, b)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found[namespace] = in.dtab
	}
	return found, errors.Join(problems...)
}
