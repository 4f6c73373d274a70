package viz

// Health is the dashboard linkerd-health: how the proxies themselves are.
func Health() Dashboard {
	const sel = `instance=~"$instance"`
	d := Dashboard{
		UID: "linkerd-health", Title: "linkerd-health", Refresh: "5s", Time: TimeRange{"now-15m", "now"},
		Description: "How the proxies are: garbage collection, memory, goroutines, descriptors. Names that begin with jvm are those that Linkerd had for the same things.",
	}
	d.Templating.List = []Variable{choose("instance", "Instance", "label_values(jvm:uptime, instance)", true)}

	stat := func(title, unit, expr string) chart {
		return chart{kind: "stat", title: title, unit: unit, width: 6, height: 4, queries: []query{{expr, title}}}
	}
	lines := func(title, unit, about, expr string) chart {
		return chart{
			kind: "timeseries", title: title, unit: unit, about: about, width: 8, height: 7,
			queries: []query{{expr, "{{instance}}"}},
		}
	}
	of := func(metric string) string { return metric + "{" + sel + "}" }
	memory := stat("Global memory usage", "percentunit", "sum("+of("jvm:heap:used")+") / sum("+of("jvm:heap:max")+")")
	memory.kind, memory.share, memory.bad = "gauge", true, []float64{.8, .9}
	use := lines("Heap of its maximum", "percentunit", "The maximum is GOMEMLIMIT, else the memory of the machine or container.", of("jvm:heap:used")+" / "+of("jvm:heap:max"))
	use.share = true

	return dashboard(d,
		section{charts: []chart{
			stat("linkerd instances", "short", "count(count by (instance) ("+of("jvm:uptime")+"))"),
			stat("Average uptime", "ms", "avg("+of("jvm:uptime")+")"),
			stat("Global CPUs available", "short", "sum("+of("jvm:num_cpus")+")"),
			memory,
		}},
		section{title: "GARBAGE COLLECTION", charts: []chart{
			lines("Cycles", "cps", "Collections in a second.", per("jvm:gc:cycles", sel)),
			lines("Pauses", "percentunit", "The share of the time in which the collector stops everything.", per("jvm:gc:msec", sel)+" / 1000"),
			lines("CPU of the collector", "percentunit", "Of what the process uses.", per("process:gc_cpu_seconds", sel)+" / "+per("process:cpu_seconds", sel)),
		}},
		section{title: "MEMORY", charts: []chart{
			{
				kind: "timeseries", title: "Heap", unit: "bytes", about: "Used by objects, and held for them.", width: 8, height: 7,
				queries: []query{{of("jvm:heap:used"), "{{instance}} used"}, {of("jvm:heap:committed"), "{{instance}} committed"}},
			},
			use,
			{
				kind: "timeseries", title: "Process", unit: "bytes", about: "What the kernel counts, and what Go has asked it for.", width: 8, height: 7,
				queries: []query{{of("process:resident_bytes"), "{{instance}} resident"}, {of("jvm:mem:current:used"), "{{instance}} Go"}},
			},
		}},
		section{title: "RESOURCES", charts: []chart{
			lines("CPU", "short", "Processors that are busy with it.", per("process:cpu_seconds", sel)),
			lines("Goroutines", "short", "", of("process:goroutines")),
			lines("Threads", "short", "Of the operating system.", of("jvm:thread:count")),
			lines("File descriptors", "short", "Connections are most of them.", of("jvm:fd_count")),
			lines("Server connections", "short", "From callers.", "sum by (instance) ("+of("rt:server:connections")+")"),
			lines("Uptime", "ms", "", of("jvm:uptime")),
		}},
	)
}
