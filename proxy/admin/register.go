package admin

import (
	"net/http"
	"strings"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// register adds every page that the options have something for.
func (x *site) register() error {
	var err error
	add := func(path string, h http.Handler) {
		if err == nil {
			err = x.mux.handle(path, h)
		}
	}
	page := func(path string, h http.HandlerFunc) { add(path, methods(h, get)) }
	o := &x.opts

	if o.Namespaces != nil {
		o.Namespaces.register(x, add)
	} else {
		page("/", x.dashboard)
		page("/services", x.services)
		page("/delegator", x.playground)
		page("/tapping", x.tapping)
		page("/help", x.help)
		add("/delegator.json", methods(x.delegate, get, post))
		add("/explain.json", methods(x.explainJSON, post))
		page("/bound-names.json", x.boundNames)
		page("/client_state.json", x.clientState)
		page("/endpoints.json", x.endpoints)
	}
	page("/files/", x.file)
	page("/admin/files/", x.file)
	page("/favicon.ico", x.favicon)
	if o.Recent != nil {
		page("/requests", x.requests)
		page("/requests.json", x.requestsJSON)
	}
	if o.Levels != nil {
		page("/logging", x.logging)
		add("/logging.json", methods(x.loggingJSON, get, post))
	}

	page("/admin", x.mux.index)
	page("/admin/index.txt", x.mux.index)
	add("/admin/ping", http.HandlerFunc(ping)) // of any method, as probes have it
	page("/admin/server_info", x.serverInfo)
	page("/admin/registry.json", x.registry)
	page("/admin/announcer", x.announcer)
	if o.Shutdown != nil {
		add("/admin/shutdown", methods(x.shutdown, post))
	}
	if o.Tap != nil {
		page("/tap", x.tap)
	}
	if o.Tracing != nil {
		add("/admin/tracing", methods(x.tracing, get, post))
	}

	page("/admin/metrics.json", x.metrics)
	page(o.PrometheusPath, x.prometheus)
	if o.Influx {
		page("/admin/metrics/influxdb", x.influx)
	}
	if o.UsageJSON != nil {
		page("/admin/metrics/usage", document(o.UsageJSON, typeJSON))
	}

	page("/admin/threads", threads)
	page("/admin/threads.json", threadsJSON)
	page("/admin/contention", contention)
	page("/admin/lint", lint)
	page("/admin/lint.json", lintJSON)
	for _, name := range []string{"heap", "allocs", "goroutine"} {
		page("/admin/pprof/"+name, snapshot(name))
	}
	page("/admin/pprof/profile", x.server.cpuProfile)
	page("/admin/pprof/contention", x.server.contentionProfile)

	if o.ConfigJSON != nil {
		page("/config.json", document(o.ConfigJSON, typeJSONUTF8))
	}
	page("/discovery.json", x.discovery)
	for key, state := range o.NamerStates {
		page("/namer_state/"+strings.TrimPrefix(key, "/")+".json", stateOf(state))
	}
	for _, r := range o.Routers {
		for key, state := range r.InterpreterStates {
			page("/"+r.Label+"/interpreter_state/"+strings.TrimPrefix(key, "/")+".json", stateOf(state))
		}
	}
	for path, h := range o.Handlers {
		add(path, h)
	}
	return err
}
