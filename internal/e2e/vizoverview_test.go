package e2e_test

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/viz"
)

// counted adds up a figure of the load's tallies, by a label, as a rate would show it at
// the end of a window.
func (r *vizRun) counted(c chosen, by string, from, to time.Time, figure func(service string, v vizTally) float64) map[string]float64 {
	sum := map[string]float64{}
	for _, p := range r.proxies {
		if c.instance != "" && c.instance != p.instance {
			continue
		}
		factor := rateFactor(r.scrapes[p.instance], from, to)
		for service, tally := range p.tally {
			if c.service != "" && c.service != service {
				continue
			}
			key := map[string]string{"client": service, "service": service, "instance": p.instance, "": ""}[by]
			sum[key] += figure(service, tally) * factor
		}
	}
	return sum
}

func requests(_ string, v vizTally) float64  { return v.all() }
func successes(_ string, v vizTally) float64 { return v.of(200, 404) }
func notFound(_ string, v vizTally) float64  { return v.of(404) }
func noConnection(service string, v vizTally) float64 {
	if service != "gone" {
		return math.NaN() // there is no such series
	}
	return v.all()
}

// failed are answers of the backend; the proxy's own for gone are of no client.
func failed(_ string, v vizTally) float64 { return v.of(500) }

// refused would have been tried again if the budget were not empty.
func refused(service string, v vizTally) float64 {
	if service == "gone" {
		return v.all()
	}
	return v.of(500)
}

func ratio(a, b map[string]float64) map[string]float64 {
	q := maps.Clone(a)
	for k := range q {
		q[k] /= b[k]
	}
	return q
}

// overview compares every panel of linkerd-viz, for one choice of its variables.
func (r *vizRun) overview(t *testing.T, c chosen) {
	t.Helper()
	// For one proxy from a scrape to a scrape, between which a rate is the exact count; for
	// both, whose scrapes are at different times, with what Prometheus makes of the ends.
	var from, to time.Time
	for _, p := range r.proxies {
		if c.instance == "" || c.instance == p.instance {
			if r.first[p.instance].After(from) {
				from = r.first[p.instance]
			}
			if r.latest[p.instance].After(to) {
				to = r.latest[p.instance]
			}
		}
	}
	window := to.Sub(from)
	global := chosen{} // the top row is about all
	rates := func(c chosen, by string, figure func(string, vizTally) float64) map[string]float64 {
		return r.counted(c, by, from, to, figure)
	}
	perInstance := chosen{instance: c.instance}
	services := 3.0
	if c.service != "" {
		services = 1
	}
	one := func(v float64) map[string]float64 { return map[string]float64{"": v} }
	want := map[string]map[string]float64{
		"Services monitored":    one(3),
		"linkerd instances":     one(2),
		"Global success rate":   ratio(rates(global, "", successes), rates(global, "", requests)),
		"Global request volume": rates(global, "", requests),
		"4XX responses":         rates(global, "", notFound),
		"5XX responses":         rates(global, "", failed),

		"Success rates":              ratio(rates(c, "client", successes), rates(c, "client", requests)),
		"Request volumes":            rates(c, "client", requests),
		"Success rate":               ratio(rates(c, "instance", successes), rates(c, "instance", requests)),
		"Request volume":             rates(c, "instance", requests),
		"Success rate by instance":   ratio(rates(perInstance, "instance", successes), rates(perInstance, "instance", requests)),
		"Request volume by instance": rates(perInstance, "instance", requests),

		"Connection failures": rates(c, "client", noConnection),
	}
	seen := map[string]bool{}
	for _, p := range shippedBoard(t, "linkerd-viz").Panels {
		for _, q := range p.Targets {
			expr := c.expression(q.Expr, "http", window)
			where := fmt.Sprintf("%s, service %q, instance %q: %s", p.Title, c.service, c.instance, expr)
			got := map[string]float64{}
			for _, s := range r.prom.QueryAt(expr, to) {
				got[legend(q.Legend, s.Labels)] = s.Value
			}
			exact, known := want[p.Title]
			switch {
			case known && len(exact) == 1 && exact[""] != 0:
				seen[p.Title] = true
				require.Len(t, got, 1, where)
				for _, v := range got {
					vizExact(t, exact[""], v, where)
				}
			case known:
				seen[p.Title] = true
				maps.DeleteFunc(exact, func(_ string, v float64) bool { return math.IsNaN(v) })
				assert.ElementsMatch(t, slices.Collect(maps.Keys(exact)), slices.Collect(maps.Keys(got)), where)
				for k, v := range exact {
					vizExact(t, v, got[k], where+" "+k)
				}
				// From a scrape to a scrape of one proxy the count comes out whole.
				if c.instance != "" && p.Title == "Request volumes" {
					for _, x := range r.proxies {
						for service, tally := range x.tally {
							if x.instance == c.instance && (c.service == "" || c.service == service) {
								assert.InDelta(t, tally.all(), got[service]*window.Seconds(), 1e-6, where)
							}
						}
					}
				}
			case strings.Contains(strings.ToLower(p.Title), "latenc"):
				seen[p.Title] = true
				r.latency(t, c, p, q, where)
			case p.Title == "Available endpoints":
				seen[p.Title] = true
				require.Len(t, got, int(services), where)
				for service, v := range got {
					assert.InDelta(t, map[string]float64{"web": 1, "api": 1, "gone": 0}[service], v, 0, where)
				}
			case p.Title == "Connections":
				seen[p.Title] = true
				require.Len(t, got, int(services), where)
				for service, v := range got {
					assert.Equal(t, service == "gone", v == 0, where)
				}
			case p.Title == "Retries":
				seen[p.Title] = true
				want := rates(perInstance, "service", refused)
				for service := range vizRates() {
					v, ok := got[strings.TrimSpace(legend(q.Legend, map[string]string{"service": service}))]
					require.True(t, ok, "%s: %v", where, got)
					if strings.Contains(q.Expr, "budget_exhausted") {
						vizExact(t, want[service], v, where)
					}
				}
			default:
				t.Errorf("a panel that this test knows nothing of: %s", where)
			}
		}
	}
	for title := range want {
		assert.True(t, seen[title], "there is no panel %q any more", title)
	}
}

// vizExact compares floating-point numbers that were computed by the same formula.
func vizExact(t *testing.T, want, got float64, where string) {
	t.Helper()
	assert.InDelta(t, want, got, 1e-9*max(1, math.Abs(want)), where)
}

// latency compares percentiles with those of what the generator measured. A query shows
// the last window that was closed, which ended at some time since the window before it:
// what it shows must be what the generator measured in such a window.
func (r *vizRun) latency(t *testing.T, c chosen, p viz.Panel, q viz.Target, where string) {
	t.Helper()
	m := regexp.MustCompile(`quantile="([^"]+)"`).FindStringSubmatch(q.Expr)
	require.NotNil(t, m, where)
	quantile := map[string]float64{"0.5": .5, "0.95": .95, "0.99": .99, "1": 1}[m[1]]
	require.NotZero(t, quantile, where)
	byInstance := strings.HasSuffix(p.Title, "by instance")

	// What is measured together, by the name of the series: one list for each proxy that
	// may be the slowest.
	together := map[string][][]vizTally{}
	for _, x := range r.proxies {
		if c.instance != "" && c.instance != x.instance {
			continue
		}
		var all []vizTally
		for service, tally := range x.tally {
			all = append(all, tally)
			if !byInstance && (c.service == "" || c.service == service) {
				together[service] = append(together[service], []vizTally{tally})
			}
		}
		if byInstance {
			together[x.instance] = append(together[x.instance], all)
		}
	}
	good, bad := map[string]int{}, map[string][]float64{}
	for at := range r.moments() {
		for _, s := range r.prom.QueryAt(c.expression(q.Expr, "http", time.Minute), at) {
			key := cmp.Or(s.Labels["client"], s.Labels["instance"])
			if vizMatches(quantile, together[key], at, s.Value) {
				good[key]++
			} else {
				bad[key] = append(bad[key], s.Value)
			}
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(together)), slices.Collect(maps.Keys(good)), "%s: others show %v", where, bad)
	for key, n := range good {
		// One window may have been a bad moment of the machine's.
		assert.Greater(t, n, len(bad[key]), "%s: %s shows %v", where, key, bad[key])
	}
}

// moments are the seconds of the load at which a whole window of it can be seen.
func (r *vizRun) moments() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for at := r.began.Add(2*vizWindow + 2*time.Second); !at.After(r.ended); at = at.Add(time.Second) {
			if !yield(at) {
				return
			}
		}
	}
}

// vizMatches reports whether a quantile that is shown at a moment is that of one of the
// lists in a window that may be the last one which was closed.
func vizMatches(quantile float64, lists [][]vizTally, at time.Time, got float64) bool {
	for end := at; end.After(at.Add(-vizWindow - 3*time.Second)); end = end.Add(-200 * time.Millisecond) {
		for _, tallies := range lists {
			var took []time.Duration
			for _, v := range tallies {
				took = append(took, v.during(end.Add(-vizWindow), end)...)
			}
			if len(took) == 0 {
				continue
			}
			want := vizPercentile(quantile, took)
			if math.Abs(got-want) <= .05*want || want < 200 && got < 200 { // gone takes no time
				return true
			}
		}
	}
	return false
}
