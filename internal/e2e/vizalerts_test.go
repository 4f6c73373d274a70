package e2e_test

import (
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
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
	var slow, perhaps []string
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
			if rule.Alert == "WeftServiceLatency" {
				slow, perhaps = r.slow(t, m[1])
				continue
			}
			for _, s := range r.prom.QueryAt(strings.ReplaceAll(m[1], "[5m]", "["+promDuration(to.Sub(from))+"]"), to) {
				assert.Equal(t, "http", s.Labels["rt"], rule.Alert)
				got[s.Labels["client"]+s.Labels["service"]] = s.Value
			}
			require.Contains(t, want, rule.Alert)
			for k, v := range want[rule.Alert] {
				require.Contains(t, got, k, rule.Alert)
				vizExact(t, v, got[k], rule.Alert+" "+k)
			}
		}
	}
	on := map[string]bool{} // pending or firing; it is both in these seconds if it becomes so
	for _, s := range r.prom.QueryAt("max_over_time(ALERTS[5s])", r.ended) {
		on[s.Labels["alertname"]+" "+s.Labels["client"]+s.Labels["service"]] = true
	}
	for _, alert := range perhaps {
		delete(on, alert)
	}
	assert.ElementsMatch(t, append(slow,
		"WeftConnectionFailures gone", "WeftEndpointsUnavailable gone", "WeftNoEndpoints gone", "WeftRetryBudget gone", "WeftRetryBudget web",
	), slices.Collect(maps.Keys(on)))
}

// slow compares the figures of WeftServiceLatency with what the generator measured in the
// windows that they can be of, and returns the alerts that must be on at the end, and those
// that may be: a machine that is busy with something else may make any service one of them.
func (r *vizRun) slow(t *testing.T, figures string) (on, perhaps []string) {
	t.Helper()
	good, bad := map[string]int{}, map[string][]float64{}
	for at := range r.moments() {
		for _, s := range r.prom.QueryAt(figures, at) {
			service := s.Labels["service"]
			assert.Equal(t, "http", s.Labels["rt"])
			var lists [][]vizTally
			for _, p := range r.proxies {
				lists = append(lists, []vizTally{p.tally[service]})
			}
			if vizMatches(.99, lists, at, s.Value) {
				good[service]++
			} else {
				bad[service] = append(bad[service], s.Value)
			}
		}
	}
	for service := range vizRates() {
		assert.Greater(t, good[service], len(bad[service]), "WeftServiceLatency: %s shows %v", service, bad[service])
		// Rules are evaluated every two seconds, and five seconds of them are looked at.
		above, below := 0, 0
		for at := r.ended.Add(-7 * time.Second); !at.After(r.ended); at = at.Add(500 * time.Millisecond) {
			for _, s := range r.prom.QueryAt(figures, at) {
				if s.Labels["service"] == service && s.Value > 1000 {
					above++
				} else if s.Labels["service"] == service {
					below++
				}
			}
		}
		switch alert := "WeftServiceLatency " + service; {
		case above > 0 && below == 0:
			on = append(on, alert)
		case above > 0:
			perhaps = append(perhaps, alert)
		}
	}
	assert.Contains(t, on, "WeftServiceLatency web")
	return on, perhaps
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
