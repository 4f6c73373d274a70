package rolloutcmd

import (
	"context"
	"slices"

	"github.com/spf13/pflag"

	"github.com/weft-mesh/weft/rollout"
)

// meterFlags say how the branches are measured.
type meterFlags struct {
	proxies       []string
	quorum        int
	prometheus    string
	queries       map[string]string
	router        string
	service       string
	prefix        string
	olders, newer string
}

func (m *meterFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&m.proxies, "proxy", nil, "URL of a proxy's admin server, such as http://10.0.0.7:9990; may be repeated")
	f.IntVar(&m.quorum, "quorum", 0, "how many of the proxies must answer (default: more than half of them)")
	f.StringVar(&m.prometheus, "prometheus", "", "URL of a Prometheus server that scrapes the proxies, instead of --proxy")
	f.StringToStringVar(&m.queries, "query", nil, "a query of one's own for Prometheus: requests, successes, timed, p50, p95 or p99 = PromQL with $series and $window; may be repeated")
	f.StringVar(&m.router, "router", "", "label of the only router of the proxies that counts")
	f.StringVar(&m.service, "service", "", "regular expression of the only names that count, such as svc/world (with --proxy)")
	f.StringVar(&m.prefix, "metrics-prefix", "", "prefix of the metrics' names, if the proxies have one configured")
	f.StringVar(&m.olders, "old-clients", "", "regular expression of the label client of the old branch (default: what it is bound to)")
	f.StringVar(&m.newer, "new-clients", "", "the same of the new branch")
}

// names are those of the flags.
func (m *meterFlags) names() []string {
	return []string{"proxy", "quorum", "prometheus", "query", "router", "service", "metrics-prefix", "old-clients", "new-clients"}
}

// note returns the flags as arguments, so that one who resumes need not know them.
func (m *meterFlags) note(f *pflag.FlagSet) []string {
	var args []string
	for _, name := range m.names() {
		flag := f.Lookup(name)
		switch {
		case !flag.Changed:
		case name == "proxy":
			for _, p := range m.proxies {
				args = append(args, "--proxy="+p)
			}
		case name == "query":
			for k, q := range m.queries {
				args = append(args, `--query="`+k+"="+q+`"`)
			}
			slices.Sort(args)
		default:
			args = append(args, "--"+name+"="+flag.Value.String())
		}
	}
	return args
}

// recall takes the flags from a note, unless one of them was given.
func (m *meterFlags) recall(f *pflag.FlagSet, note []string) error {
	if slices.ContainsFunc(m.names(), f.Changed) {
		return nil
	}
	noted := pflag.NewFlagSet("note", pflag.ContinueOnError)
	m.register(noted)
	if err := noted.Parse(note); err != nil {
		return usagef("the rollout does not say how to measure in a way that is understood here: %w; give --proxy or --prometheus", err)
	}
	return nil
}

// meter returns what measures the branches of a plan whose old branch is known.
func (m *meterFlags) meter(ctx context.Context, b rollout.Binder, p rollout.Plan) (rollout.Meter, error) {
	if (len(m.proxies) == 0) == (m.prometheus == "") {
		return nil, usagef("how the branches are measured is not said: give either --proxy or --prometheus")
	}
	older, newer := rollout.Clients(m.olders), rollout.Clients(m.newer)
	if older == "" || newer == "" {
		boundOlder, boundNewer, err := rollout.BranchClients(ctx, b, p)
		if err != nil {
			return nil, usagef("%w (--old-clients and --new-clients say it)", err)
		}
		if older == "" {
			older = boundOlder
		}
		if newer == "" {
			newer = boundNewer
		}
	}
	if m.prometheus == "" {
		return rollout.NewScrape(rollout.ScrapeOptions{
			Proxies: m.proxies, Old: older, New: newer, Router: m.router, Service: m.service, Prefix: m.prefix, Quorum: m.quorum,
		})
	}
	if m.service != "" || m.quorum != 0 {
		return nil, usagef("--service and --quorum have no effect with --prometheus; give a --query")
	}
	o := rollout.PrometheusOptions{URL: m.prometheus, Old: older, New: newer, Router: m.router, Prefix: m.prefix}
	for name, q := range m.queries {
		to := map[string]*string{
			"requests": &o.Queries.Requests, "successes": &o.Queries.Successes, "timed": &o.Queries.Timed,
			"p50": &o.Queries.P50, "p95": &o.Queries.P95, "p99": &o.Queries.P99,
		}[name]
		if to == nil {
			return nil, usagef("--query: %q is none of requests, successes, timed, p50, p95 and p99", name)
		}
		*to = q
	}
	return rollout.NewPrometheus(o)
}
