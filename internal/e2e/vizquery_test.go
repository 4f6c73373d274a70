package e2e_test

import (
	"encoding/json"
	"math"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/viz"
)

// vizDir is what is shipped.
const vizDir = "../../deploy/viz/"

// shippedBoard reads a dashboard.
func shippedBoard(t *testing.T, name string) viz.Dashboard {
	t.Helper()
	text, err := os.ReadFile(vizDir + "grafana/dashboards/" + name + ".json")
	require.NoError(t, err)
	var d viz.Dashboard
	require.NoError(t, json.Unmarshal(text, &d))
	return d
}

// scrapes returns when targets were scraped, by instance.
func scrapes(t *testing.T, p *servers.Prometheus, within time.Duration) map[string][]time.Time {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Values [][2]any
		}
	}
	p.API("query?"+url.Values{"query": {`up{job="linkerd"}[` + promDuration(within) + `]`}}.Encode(), &data)
	all := map[string][]time.Time{}
	for _, r := range data.Result {
		for _, v := range r.Values {
			at, ok := v[0].(float64)
			require.True(t, ok, "%v", v)
			if v[1] != "1" {
				continue // a scrape that took too long has no samples
			}
			all[r.Metric["instance"]] = append(all[r.Metric["instance"]], time.UnixMilli(int64(math.Round(at*1000))))
		}
	}
	return all
}

// promDuration is a duration as PromQL has it.
func promDuration(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// rateFactor is what Prometheus' rate over a window makes of each unit by which a counter
// has grown between the first and the last scrape in it: it extends what it knows to the
// ends of the window, unless these are too far away (promql.extrapolatedRate).
func rateFactor(at []time.Time, from, to time.Time) float64 {
	at = slices.DeleteFunc(slices.Clone(at), func(x time.Time) bool { return x.Before(from) || x.After(to) })
	known := at[len(at)-1].Sub(at[0]).Seconds()
	average := known / float64(len(at)-1)
	extended := known
	for _, gap := range []float64{at[0].Sub(from).Seconds(), to.Sub(at[len(at)-1]).Seconds()} {
		if gap < average*1.1 {
			extended += gap
		} else {
			extended += average / 2
		}
	}
	return extended / known / to.Sub(from).Seconds()
}

// chosen are the values of a dashboard's variables; empty ones are All.
type chosen struct{ service, instance string }

// expression puts values in place of the variables of a query.
func (c chosen) expression(expr, router string, window time.Duration) string {
	all := func(s string) string {
		if s == "" {
			return ".*"
		}
		return regexp.QuoteMeta(s)
	}
	return strings.NewReplacer(
		"$router", router, "$service", all(c.service), "$instance", strings.ReplaceAll(all(c.instance), `\`, `\\`),
		"$__rate_interval", promDuration(window),
	).Replace(expr)
}

// legend returns what Grafana would call a series.
func legend(format string, labels map[string]string) string {
	return regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`).ReplaceAllStringFunc(format, func(m string) string {
		return labels[strings.Trim(m, "{} ")]
	})
}

// labelValues evaluates the definition of a variable.
func labelValues(t *testing.T, p *servers.Prometheus, definition string) []string {
	t.Helper()
	m := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(definition)
	require.NotNil(t, m, definition)
	var values []string
	p.API("label/"+m[2]+"/values?"+url.Values{"match[]": {m[1]}}.Encode(), &values)
	return values
}
