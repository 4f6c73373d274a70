package viz

import (
	_ "embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// workloads is what of the manifest is not a file of deploy/viz.
//
//go:embed workloads.yaml
var workloads string

// Manifest returns the manifest that runs viz in a Kubernetes cluster; dir is
// deploy/viz. Each directory of files is a ConfigMap.
func Manifest(dir fs.FS) (string, error) {
	var b strings.Builder
	b.WriteString("# Prometheus and Grafana for the proxies of a cluster. Made of the other files of deploy/viz by\n" +
		"# `go test ./internal/viz -rewrite`; edit those.\n")
	b.WriteString(workloads)
	for _, m := range []struct{ name, pattern string }{
		{"prometheus", "prometheus/kubernetes.yml"},
		{"prometheus-alerts", "alerts/*.yml"},
		{"grafana-datasources", "grafana/provisioning/datasources/*.yml"},
		{"grafana-providers", "grafana/provisioning/dashboards/*.yml"},
		{"grafana-dashboards", "grafana/dashboards/*.json"},
	} {
		files, err := fs.Glob(dir, m.pattern)
		if err != nil {
			return "", err
		}
		if len(files) == 0 {
			return "", fmt.Errorf("viz: no file is called %s", m.pattern)
		}
		slices.Sort(files)
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  namespace: weft-viz\ndata:\n", m.name)
		for _, f := range files {
			text, err := fs.ReadFile(dir, f)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "  %s: |\n", path.Base(f))
			for line := range strings.Lines(string(text)) {
				if strings.TrimSpace(line) != "" {
					b.WriteString("    ")
				}
				b.WriteString(line)
			}
		}
	}
	return b.String(), nil
}
