package dtabcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readConfig reads the configuration file that was named or, with "", the first that
// is found. None is no error.
func readConfig(named string) (name string, values map[string]string, err error) {
	if named == "" {
		if named = findConfig(); named == "" {
			return "", nil, nil
		}
	}
	b, err := os.ReadFile(named)
	if err != nil {
		return "", nil, err
	}
	values, err = parseConfig(filepath.Ext(named), b)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", named, err)
	}
	return named, values, nil
}

// findConfig returns the file .namerctl.* of the working directory or of the nearest
// of its parents that has one, in namerctl's order of formats.
func findConfig() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		for _, ext := range []string{".json", ".toml", ".yaml", ".yml"} {
			name := filepath.Join(dir, ".namerctl"+ext)
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				return name
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// parseConfig reads the values of a file in the format that its extension names. The
// keys are those of the flags; their case does not matter.
func parseConfig(ext string, b []byte) (map[string]string, error) {
	var all map[string]any
	var err error
	switch ext {
	case ".json":
		err = json.Unmarshal(b, &all)
	case ".yaml", ".yml":
		err = yaml.Unmarshal(b, &all)
	case ".toml":
		return parseTOML(string(b))
	default:
		err = errors.New("the name of a configuration file ends in .json, .toml, .yaml or .yml")
	}
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(all))
	for k, v := range all {
		switch v.(type) {
		case string, bool, int, float64:
			values[strings.ToLower(k)] = fmt.Sprint(v)
		}
	}
	return values, nil
}
