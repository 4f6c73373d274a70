// Package admin is the proxy's admin server: health, metrics, state, profiles,
// log levels, the dtab playground and a dashboard, at the addresses of Linkerd's
// admin server, which scripts, probes and dashboards know.
//
// The package knows nothing of configuration files or of running routers: what it
// shows is passed in Options, and what is not there has no page.
//
//	path                                      what
//	/                                         dashboard; /services, /delegator, /requests, /logging, /help
//	/admin, /admin/index.txt                  list of the paths
//	/admin/ping                               pong
//	/admin/shutdown                           POST, ?grace=10.seconds
//	/admin/metrics.json                       ?pretty, ?tree, ?q
//	/admin/metrics/prometheus                 the same for Prometheus
//	/admin/metrics/usage                      what is not sent to anybody
//	/admin/server_info, /admin/registry.json  what this process is
//	/admin/tracing                            ?enable=true, ?disable=true
//	/admin/threads(.json), /admin/contention  goroutines
//	/admin/pprof/{heap,allocs,goroutine}      profiles; ?debug, ?gc
//	/admin/pprof/{profile,contention}         profiles; ?seconds
//	/admin/lint(.json), /admin/announcer      for Linkerd's tools
//	/config.json                              the configuration in force
//	/logging.json                             log levels; POST logger, level
//	/delegator.json                           how a name is bound
//	/bound-names.json, /client_state.json     what namers and balancers know
//	/namer_state/…, /<router>/interpreter_state/…
//
// It does not ask who is calling. Its listener should be on a loopback address,
// Linkerd's default, or behind something that asks; Security closes single pages.
// Requests that change something are refused when a browser says that another
// site makes them.
package admin
