package e2e_test

import (
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alerts compares the figures that alerts look at, and which of them are on.
func (r *vizRun) alerts(t *testing.T) {
	p := r.proxies[0]
	from, to := r.first[p.instance], r.latest[p.instance]
	for _, x := range r.proxies {
		if r.first[x.instance].After(from) {
			from = r.first[x.instance]
		}
		if r.latest[x.instance].After(to) {
			to = r.latest[x.instance]
		}
	}
	rates := func(figure func(string, vizTally) float64) map[string]float64 {
		return r.counted(chosen{}, "client", from, to, figure)
	}
	want := map[string]map[string]float64{
		"WeftConnectionFailures":   {"gone": 1},
		"WeftEndpointsUnavailable": {"gone": 0, "web": 1, "api": 1},
		"WeftNoEndpoints":          {"gone": 0, "web": 1, "api": 1},
		"WeftRetryBudget":          ratio(rates(refused), rates(requests)),
	}
	var slow []string
	files, err := filepath.Glob(vizDir + "alerts/*.yml")
	require.NoError(t, err)
	for _, f := range files {
		var file struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(readFile(t, f)), &file))
		for _, rule := range file.Groups[0].Rules {
			// What it compares with the threshold, over the load.
			m := regexp.MustCompile(`(?s)^(.*)\n\s+[<>] [\d.]+\s*$`).FindStringSubmatch(rule.Expr)
			require.NotNil(t, m, "%s: the last line is the threshold", rule.Alert)
			got := map[string]float64{}
			at := to
			if rule.Alert == "WeftServiceLatency" {
				at = r.ended
			}
			for _, s := range r.prom.QueryAt(strings.ReplaceAll(m[1], "[5m]", "["+promDuration(to.Sub(from))+"]"), at) {
				assert.Equal(t, "http", s.Labels["rt"], rule.Alert)
				got[s.Labels["client"]+s.Labels["service"]] = s.Value
			}
			if rule.Alert == "WeftServiceLatency" {
				require.Len(t, got, 3, "%v", got)
				for _, service := range []string{"web", "api"} {
					var slowest float64
					for _, p := range r.proxies {
						slowest = max(slowest, vizPercentile(.99, p.tally[service].took))
					}
					assert.InEpsilon(t, slowest, got[service], .05, "%s: %s", rule.Alert, service)
				}
				for service, p99 := range got {
					if p99 > 1000 { // a machine that is busy with something else may make api one of them
						slow = append(slow, "WeftServiceLatency "+service)
					}
				}
				require.Contains(t, slow, "WeftServiceLatency web")
				continue
			}
			require.Contains(t, want, rule.Alert)
			for k, v := range want[rule.Alert] {
				require.Contains(t, got, k, rule.Alert)
				vizExact(t, v, got[k], rule.Alert+" "+k)
			}
		}
	}
	var on []string
	for _, s := range r.prom.QueryAt("max_over_time(ALERTS[5s])", r.ended) {
		on = append(on, s.Labels["alertname"]+" "+s.Labels["client"]+s.Labels["service"])
	}
	assert.ElementsMatch(t, append(slow,
		"WeftConnectionFailures gone", "WeftEndpointsUnavailable gone", "WeftNoEndpoints gone", "WeftRetryBudget gone", "WeftRetryBudget web",
	), on)
}

// health compares what can be known of the process, which both proxies share.
func (r *vizRun) health(t *testing.T) {
	for _, c := range []chosen{{}, {instance: r.proxies[0].instance}} {
		n := 2
		if c.instance != "" {
			n = 1
		}
		for _, p := range shippedBoard(t, "linkerd-health").Panels {
			for _, q := range p.Targets {
				expr := c.expression(q.Expr, "http", time.Minute)
				got := r.prom.QueryAt(expr, r.latest[r.proxies[0].instance])
				if p.Type == "timeseries" {
					require.Len(t, got, n, "%s: %s", p.Title, expr)
				} else {
					require.Len(t, got, 1, "%s: %s", p.Title, expr)
				}
				for _, s := range got {
					assert.False(t, math.IsNaN(s.Value) || s.Value < 0, "%s: %s = %v", p.Title, expr, s.Value)
					switch {
					case p.Title == "linkerd instances":
						assert.InDelta(t, n, s.Value, 0)
					case strings.HasPrefix(p.Fields.Defaults.Unit, "percent"):
						assert.LessOrEqual(t, s.Value, 1.0, "%s: %s", p.Title, expr)
					case p.Title != "Cycles" && p.Title != "CPU":
						assert.Positive(t, s.Value, "%s: %s", p.Title, expr)
					}
				}
			}
		}
	}
}
