package viz

import "strings"

// What the overview selects by: the router, and of its metrics the chosen services and
// instances. A service is a value of the label client, as in the original.
const (
	selR   = `rt="$router"`
	selRI  = selR + `, instance=~"$instance"`
	selRSI = selR + `, client=~"$service", instance=~"$instance"`
)

// per returns the rate of a counter.
func per(metric, selector string) string {
	return "rate(" + metric + "{" + selector + "}[$__rate_interval])"
}

// sumBy returns the sum of the rates of a counter.
func sumBy(by, metric, selector string) string {
	if by == "" {
		return "sum(" + per(metric, selector) + ")"
	}
	return "sum by (" + by + ") (" + per(metric, selector) + ")"
}

// latencies are the percentiles of a stat, of the slowest instance.
func latencies(by, metric, selector, legend string) []query {
	var all []query
	for _, q := range []struct{ quantile, name string }{{"0.5", "p50"}, {"0.95", "p95"}, {"0.99", "p99"}, {"1", "max"}} {
		all = append(all, query{"max by (" + by + ") (" + metric + `{quantile="` + q.quantile + `", ` + selector + "})", strings.TrimSpace(q.name + " " + legend)})
	}
	return all
}

const (
	aboutLatency = "Of the slowest instance, over the last window of a minute that is over. Percentiles of several instances cannot be averaged."
	aboutVolume  = "Requests sent to endpoints: a request that is tried again counts each time."
)

// Overview is the dashboard linkerd-viz: the success rate, the volume and the latency of
// every service.
func Overview() Dashboard {
	d := Dashboard{
		UID: "linkerd-viz", Title: "linkerd-viz", Refresh: "5s", Time: TimeRange{"now-5m", "now"},
		Description: "Success rate, volume and latency of the services that proxies call. A service is a set of endpoints (the label client).",
	}
	d.Templating.List = []Variable{
		choose("router", "Router", "label_values(rt:server:requests, rt)", false),
		choose("service", "Service", `label_values(rt:client:requests{rt="$router"}, client)`, true),
		choose("instance", "Instance", `label_values(rt:server:requests{rt="$router"}, instance)`, true),
	}
	stat := func(title, unit, expr string) chart {
		return chart{kind: "stat", title: title, unit: unit, width: 4, height: 4, queries: []query{{expr, title}}}
	}
	lines := func(width int, title, unit, about string, queries ...query) chart {
		return chart{kind: "timeseries", title: title, unit: unit, about: about, width: width, height: 8, queries: queries}
	}
	share := func(c chart) chart {
		c.share = true
		return c
	}
	global := stat("Global success rate", "percentunit", sumBy("", "rt:client:success", selR)+" / "+sumBy("", "rt:client:requests", selR))
	global.kind, global.share, global.steps = "gauge", true, []float64{.5, .8}

	return dashboard(d,
		section{charts: []chart{
			stat("Services monitored", "short", "count(count by (client) (rt:client:requests{"+selR+"}))"),
			stat("linkerd instances", "short", "count(count by (instance) (jvm:uptime))"),
			global,
			stat("Global request volume", "reqps", sumBy("", "rt:client:requests", selR)),
			stat("4XX responses", "reqps", sumBy("", "rt:client:status:4XX", selR)),
			stat("5XX responses", "reqps", sumBy("", "rt:client:status:5XX", selR)),
		}},
		section{title: "TOP LINE", charts: []chart{
			share(lines(8, "Success rates", "percentunit", "", query{
				sumBy("client", "rt:client:success", selRSI) + " / " + sumBy("client", "rt:client:requests", selRSI), "{{client}}",
			})),
			lines(8, "Request volumes", "reqps", aboutVolume, query{sumBy("client", "rt:client:requests", selRSI), "{{client}}"}),
			lines(8, "Latencies", "ms", aboutLatency, latencies("client", "rt:client:request_latency_ms", selRSI, "{{client}}")...),
		}},
		section{title: "SERVICE METRICS: $service", repeat: "service", charts: []chart{
			share(lines(8, "Success rate", "percentunit", "", query{
				sumBy("instance", "rt:client:success", selRSI) + " / " + sumBy("instance", "rt:client:requests", selRSI), "{{instance}}",
			})),
			lines(8, "Request volume", "reqps", aboutVolume, query{sumBy("instance", "rt:client:requests", selRSI), "{{instance}}"}),
			lines(8, "Latency", "ms", aboutLatency, latencies("client", "rt:client:request_latency_ms", selRSI, "")...),
		}},
		section{title: "PER-INSTANCE METRICS", charts: []chart{
			share(lines(8, "Success rate by instance", "percentunit", "What callers of the proxy got.", query{
				sumBy("instance", "rt:server:success", selRI) + " / " + sumBy("instance", "rt:server:requests", selRI), "{{instance}}",
			})),
			lines(8, "Request volume by instance", "reqps", "Requests that callers sent to the proxy.", query{sumBy("instance", "rt:server:requests", selRI), "{{instance}}"}),
			lines(8, "Latency by instance", "ms", aboutLatency, latencies("instance", "rt:server:request_latency_ms", selRI, "{{instance}}")...),
		}},
		section{title: "ENDPOINTS AND RETRIES", charts: []chart{
			share(lines(6, "Available endpoints", "percentunit", "Of those that are known, in the instance that sees the fewest. Alert: WeftEndpointsUnavailable.", query{
				"min by (client) (rt:client:loadbalancer:available{" + selRSI + "} / (rt:client:loadbalancer:size{" + selRSI + "} > 0))", "{{client}}",
			})),
			lines(6, "Connection failures", "reqps", "Requests that failed for want of a connection. Alert: WeftConnectionFailures.", query{
				sumBy("client", "rt:client:failures", `exception="com.twitter.finagle.ConnectionFailedException", `+selRSI), "{{client}}",
			}),
			lines(6, "Connections", "short", "Open connections to endpoints.", query{"sum by (client) (rt:client:connections{" + selRSI + "})", "{{client}}"}),
			lines(6, "Retries", "reqps", "By logical name, which is what callers asked for. Refused: the budget was spent. Alert: WeftRetryBudget.",
				query{sumBy("service", "rt:service:retries:total", selRI), "{{service}}"},
				query{sumBy("service", "rt:service:retries:budget_exhausted", selRI), "{{service}} refused"}),
		}},
	)
}
