package viz_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/weft-mesh/weft/internal/testtool"
)

// promtool runs Prometheus' own checker in a directory.
func promtool(t *testing.T, in string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testtool.Installed(t, "promtool", "prometheus"), args...)
	cmd.Dir = in
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "promtool %s: %s", strings.Join(args, " "), out)
	return string(out)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	for i, f := range files {
		files[i], err = filepath.Rel(dir, f)
		require.NoError(t, err)
	}
	return files
}

// TestAlerts runs the unit tests of the alerts: each fires at one value and does not at
// the one before.
func TestAlerts(t *testing.T) {
	promtool(t, dir, append([]string{"check", "rules"}, glob(t, "alerts/*.yml")...)...)
	promtool(t, dir, append([]string{"test", "rules"}, glob(t, "alerts/tests/*.yml")...)...)
}

// TestAlertsAreComplete checks what people need at night, and that every alert has a
// unit test in which it fires and one in which it does not.
func TestAlertsAreComplete(t *testing.T) {
	var names []string
	for _, f := range glob(t, "alerts/*.yml") {
		var file struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr, For    string
					Labels, Annotations map[string]string
				}
			}
		}
		read(t, f, &file)
		var tests struct {
			RuleFiles []string `yaml:"rule_files"`
			Tests     []struct {
				Rules []struct {
					Alert string `yaml:"alertname"`
					Exp   []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		read(t, filepath.Join("alerts/tests", filepath.Base(f)), &tests)
		assert.Equal(t, []string{"../" + filepath.Base(f)}, tests.RuleFiles)
		fires, silent := map[string]bool{}, map[string]bool{}
		for _, x := range tests.Tests {
			for _, r := range x.Rules {
				fires[r.Alert] = fires[r.Alert] || len(r.Exp) > 0
				silent[r.Alert] = silent[r.Alert] || len(r.Exp) == 0
			}
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				names = append(names, r.Alert)
				assert.NotEmpty(t, r.For, r.Alert)
				assert.Regexp(t, `^(warning|critical)$`, r.Labels["severity"], r.Alert)
				assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
				assert.Contains(t, r.Annotations["description"], "$labels.", r.Alert)
				assert.Contains(t, r.Annotations["runbook"], "1. ", r.Alert)
				assert.True(t, fires[r.Alert], "%s does not fire in any test", r.Alert)
				assert.True(t, silent[r.Alert], "%s fires in all tests", r.Alert)
			}
		}
	}
	assert.Equal(t, []string{"WeftConnectionFailures", "WeftEndpointsUnavailable", "WeftNoEndpoints", "WeftServiceLatency", "WeftRetryBudget"}, names)
}

// TestConfigurations checks the configurations. Debian's Prometheus is built without the
// discovery of Consul and Kubernetes: of those configurations the discovery is checked
// here, key by key, and the rest by promtool with another discovery in its place.
func TestConfigurations(t *testing.T) {
	promtool(t, dir, "check", "config", "prometheus/static.yml")
	for file, want := range map[string]string{
		"prometheus/consul.yml":     "consul_sd_configs:\n  - server: localhost:8500\n",
		"prometheus/kubernetes.yml": "kubernetes_sd_configs:\n  - role: pod\n",
	} {
		text := readFile(t, file)
		require.Equal(t, 1, strings.Count(text, want), file)
		text = strings.Replace(text, want, "file_sd_configs:\n  - files: [targets.json]\n", 1)
		here := t.TempDir()
		text = strings.Replace(text, "../alerts/*.yml", absolute(t)+"/alerts/*.yml", 1)
		require.NoError(t, os.WriteFile(filepath.Join(here, "p.yml"), []byte(text), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(here, "targets.json"), []byte("[]"), 0o600))
		assert.Contains(t, promtool(t, here, "check", "config", "p.yml"), "4 rule files found")
	}
}

func absolute(t *testing.T) string {
	t.Helper()
	abs, err := filepath.Abs(dir)
	require.NoError(t, err)
	return abs
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	return string(text)
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, file)), into), file)
}
